/* skim.h — reduces a document to the members that identify it.
 *
 * For documents that cannot be read as a whole: too large to keep, or not the JSON that we accept (a number out of range, a NUL,
 * nesting too deep). A skim takes a document in pieces of any size, in bounded memory, and makes a short document of the members
 * that its identity is read from (hf_document_member()); hf_document_read() reads that like any other. It is strict where these
 * members are, and only matches quotes and counts brackets elsewhere. Where it is not certain it fails: the document then has no
 * known identity. One thread at a time.
 */
#ifndef HF_API_LISTS_SKIM_H
#define HF_API_LISTS_SKIM_H

#include "api/kuma/document.h"
#include "api/text/buf.h"

#define HF_SKIM_MAX ((size_t)32 << 10) /* bytes of memory that a skim allocates at most */
#define HF_SKIM_DEPTH 3		       /* nesting of the objects that identify a document */
#define HF_SKIM_NAME_MAX 63

struct hf_skim {
	struct hf_buf out;
	enum {
		HF_SKIM_BEFORE, /* the document */
		HF_SKIM_OPENED, /* after the bracket of an object that is read */
		HF_SKIM_COMMA,	/* after a comma in it */
		HF_SKIM_NAME,	/* in a member's name */
		HF_SKIM_COLON,	/* after it */
		HF_SKIM_VALUE,	/* before its value */
		HF_SKIM_TEXT,	/* in a string */
		HF_SKIM_WORD,	/* in a number or a word */
		HF_SKIM_NESTED, /* in an object or array that is skipped */
		HF_SKIM_AFTER,	/* the value */
		HF_SKIM_END,	/* after the document */
		HF_SKIM_FAILED
	} state;
	enum hf_document_part in[HF_SKIM_DEPTH]; /* the open objects that are read */
	bool has_member[HF_SKIM_DEPTH];		 /* a member of it was kept */
	int depth;				 /* their number */
	enum hf_document_part member;		 /* of the current value */
	char name[HF_SKIM_NAME_MAX + 1];
	size_t name_len; /* of the member; more than HF_SKIM_NAME_MAX: a member that does not matter */
	size_t text_len; /* bytes kept of the current string; length of the word */
	char word[5];
	bool text_full;	 /* no more of the string is kept */
	unsigned escape; /* bytes of an escape that are still missing */
	bool in_string;	 /* while nested */
	uint64_t nested; /* open brackets while nested */
};

/* Begins a document; a skim of zeros has begun too. */
void hf_skim_begin(struct hf_skim *skim);

void hf_skim_feed(struct hf_skim *skim, const char *data, size_t len);

/* Returns the short document, owned by the skim until hf_skim_begin() or hf_skim_free(); NULL if the input is not a whole object,
 * as far as it was read, or cannot be shortened. */
const char *hf_skim_end(struct hf_skim *skim, size_t *ret_len);

/* Frees its memory; the skim can be used again. */
void hf_skim_free(struct hf_skim *skim);

#endif
