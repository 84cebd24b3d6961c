/* skim.h — what is left of a document without all that does not say whose it is.
 *
 * For documents that cannot be read as a whole: too large to be kept, or not the JSON that we take (a number out of range, a NUL,
 * nesting too deep). A skim takes them in pieces of any size, in bounded memory, and makes a short document of the members that an
 * identity is read from (hf_document_member()), which hf_document_read() reads like any other. Strict where these members lie,
 * it only matches quotes and counts brackets elsewhere. What it cannot tell for sure it does not tell: then nobody knows whose the
 * document is. One thread at a time.
 */
#ifndef HF_API_LISTS_SKIM_H
#define HF_API_LISTS_SKIM_H

#include "api/kuma/document.h"
#include "api/text/buf.h"

#define HF_SKIM_MAX ((size_t)32 << 10) /* bytes of memory that a skim takes, itself aside */
#define HF_SKIM_DEPTH 3		       /* objects within objects that say whose a document is */
#define HF_SKIM_NAME_MAX 63

struct hf_skim {
	struct hf_buf out;
	enum {
		HF_SKIM_BEFORE, /* the document */
		HF_SKIM_OPENED, /* behind the bracket of an object that is looked into */
		HF_SKIM_COMMA,	/* behind a comma in it */
		HF_SKIM_NAME,	/* in a member's name */
		HF_SKIM_COLON,	/* behind it */
		HF_SKIM_VALUE,	/* before its value */
		HF_SKIM_TEXT,	/* in a string */
		HF_SKIM_WORD,	/* in a number or a word */
		HF_SKIM_NESTED, /* in an object or array that is not looked into */
		HF_SKIM_BEHIND, /* the value */
		HF_SKIM_END,	/* behind the document */
		HF_SKIM_FAILED
	} state;
	enum hf_document_part in[HF_SKIM_DEPTH]; /* the objects that are open and looked into */
	bool has_member[HF_SKIM_DEPTH];		 /* something of them was kept */
	int depth;				 /* how many */
	enum hf_document_part member;		 /* what the value at hand is */
	char name[HF_SKIM_NAME_MAX + 1];
	size_t name_len; /* … of the member; more than HF_SKIM_NAME_MAX: it is none that matters */
	size_t text_len; /* of the string at hand, as far as it was kept; of the word */
	char word[5];
	bool text_full;	 /* … and no more of it is */
	unsigned escape; /* how many bytes of an escape are to come */
	bool in_string;	 /* while nested */
	uint64_t nested; /* brackets that are open then */
};

/* Begins; a skim that is all zeros has begun too. */
void hf_skim_begin(struct hf_skim *skim);

void hf_skim_feed(struct hf_skim *skim, const char *data, size_t len);

/* The short document, the skim's until it is begun or freed; NULL if what was fed is no whole object, as far as that was looked at,
 * or cannot be made shorter. */
const char *hf_skim_end(struct hf_skim *skim, size_t *ret_len);

/* Gives its memory back; it can be used again. */
void hf_skim_free(struct hf_skim *skim);

#endif
