/* skim.c — a byte-wise state machine that reads only the outer objects of a document. */
#include "skim.h"

#include <string.h>

#define TEXT_MAX 2048 /* bytes kept of a string: a longer text is not a valid name, cut off or not */

void hf_skim_begin(struct hf_skim *skim) {
	struct hf_buf out = {.data = skim->out.data, .cap = skim->out.cap};
	*skim = (struct hf_skim){.out = out};
}

void hf_skim_free(struct hf_skim *skim) {
	hf_buf_free(&skim->out);
	*skim = (struct hf_skim){.depth = 0};
}

static void fail(struct hf_skim *skim) { skim->state = HF_SKIM_FAILED; }

static void keep(struct hf_skim *skim, const char *data, size_t len) {
	if (skim->out.len + len > HF_SKIM_MAX / 2) /* a buffer may be twice as large as its contents */
		fail(skim);
	else
		hf_buf_add(&skim->out, data, len);
	if (skim->out.failed)
		fail(skim);
}

static void keep_text(struct hf_skim *skim, const char *text) { keep(skim, text, strlen(text)); }

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static void open_object(struct hf_skim *skim, enum hf_document_part part) {
	skim->state = HF_SKIM_OPENED;
	skim->in[skim->depth] = part;
	skim->has_member[skim->depth++] = false;
	keep_text(skim, "{");
}

static void close_object(struct hf_skim *skim) {
	skim->state = --skim->depth > 0 ? HF_SKIM_AFTER : HF_SKIM_END;
	keep_text(skim, "}");
}

/* Follows the bytes of an escape; returns false if none begins or continues here. */
static bool follow_escape(struct hf_skim *skim, char c) {
	if (skim->escape == 0) {
		skim->escape = c == '\\';
		return c == '\\';
	}
	bool first = skim->escape == 1; /* directly after the backslash */
	skim->escape = first ? (c == 'u' ? 5 : 0) : skim->escape == 2 ? 0 : skim->escape - 1;
	return true;
}

/* Ends the name of a member, at its colon. */
static void end_name(struct hf_skim *skim) {
	int at = skim->depth - 1;
	skim->state = HF_SKIM_VALUE;
	skim->member = HF_PART_OTHER;
	if (skim->name_len <= HF_SKIM_NAME_MAX)
		skim->member = hf_document_member(skim->in[at], skim->name, skim->name_len);
	if (skim->member == HF_PART_OTHER)
		return;
	keep_text(skim, skim->has_member[at] ? ",\"" : "\"");
	keep(skim, skim->name, skim->name_len);
	keep_text(skim, "\":");
	skim->has_member[at] = true;
}

/* Reads a byte of a name. A name with an escape may be any name, so it fails. */
static void step_name(struct hf_skim *skim, char c) {
	if (c == '\\') {
		fail(skim);
	} else if (c == '"') {
		skim->state = HF_SKIM_COLON;
	} else {
		if (skim->name_len < HF_SKIM_NAME_MAX)
			skim->name[skim->name_len] = c;
		skim->name_len += skim->name_len <= HF_SKIM_NAME_MAX;
	}
}

static void begin_value(struct hf_skim *skim, char c) {
	bool kept = skim->member != HF_PART_OTHER;
	if (c == '{' && kept && skim->member != HF_PART_TEXT) {
		open_object(skim, skim->member);
	} else if (c == '{' || c == '[') {
		skim->state = HF_SKIM_NESTED;
		skim->nested = 1;
		skim->in_string = false;
		if (kept)
			keep_text(skim, "[]");
	} else if (c == '"') {
		skim->state = HF_SKIM_TEXT;
		skim->text_len = 0;
		skim->text_full = !kept;
		if (kept)
			keep_text(skim, "\"");
	} else if (c == ',' || c == '}' || c == ']' || c == ':') {
		fail(skim);
	} else {
		skim->state = HF_SKIM_WORD;
		skim->word[0] = c;
		skim->text_len = 1;
	}
}

/* Ends a number or word. Only null has a meaning, that of a missing member; no other is a name. */
static void end_word(struct hf_skim *skim) {
	bool null = skim->text_len == 4 && memcmp(skim->word, "null", 4) == 0;
	skim->state = HF_SKIM_AFTER;
	if (skim->member != HF_PART_OTHER)
		keep_text(skim, null ? "null" : "0");
}

static void step_after(struct hf_skim *skim, char c) {
	if (c == ',')
		skim->state = HF_SKIM_COMMA;
	else if (c == '}')
		close_object(skim);
	else if (!is_space(c))
		fail(skim);
}

static void step_word(struct hf_skim *skim, char c) {
	if (c == '"' || c == '{' || c == '[' || c == ']') {
		fail(skim);
	} else if (c == ',' || c == '}' || is_space(c)) {
		end_word(skim);
		if (skim->state != HF_SKIM_FAILED)
			step_after(skim, c);
	} else if (skim->text_len < sizeof skim->word) {
		skim->word[skim->text_len++] = c;
	}
}

/* Reads a byte of a string, which is only cut off between two characters. */
static void step_text(struct hf_skim *skim, char c) {
	bool goes_on = skim->escape > 0 || ((unsigned char)c & 0xc0) == 0x80;
	bool escaped = follow_escape(skim, c);
	if (c == '"' && !escaped) {
		skim->state = HF_SKIM_AFTER;
		if (skim->member != HF_PART_OTHER)
			keep_text(skim, "\"");
		return;
	}
	skim->text_full = skim->text_full || (skim->text_len >= TEXT_MAX && !goes_on);
	if (skim->text_full)
		return;
	keep(skim, &c, 1);
	skim->text_len++;
}

static void step_nested(struct hf_skim *skim, char c) {
	if (skim->in_string) {
		skim->in_string = follow_escape(skim, c) || c != '"';
		return;
	}
	skim->in_string = c == '"';
	skim->nested += c == '{' || c == '[';
	skim->nested -= c == '}' || c == ']';
	if (skim->nested == 0)
		skim->state = HF_SKIM_AFTER;
}

static void step_before_name(struct hf_skim *skim, char c) {
	if (c == '}' && skim->state == HF_SKIM_OPENED) {
		close_object(skim);
	} else if (c == '"') {
		skim->state = HF_SKIM_NAME;
		skim->name_len = 0;
	} else if (!is_space(c)) {
		fail(skim);
	}
}

/* Reads one byte where blanks mean nothing: around the document, its names and its values. */
static void step_between(struct hf_skim *skim, char c) {
	if (is_space(c))
		return;
	if (skim->state == HF_SKIM_BEFORE && c == '{')
		open_object(skim, HF_PART_DOCUMENT);
	else if (skim->state == HF_SKIM_COLON && c == ':')
		end_name(skim);
	else if (skim->state == HF_SKIM_VALUE)
		begin_value(skim, c);
	else
		fail(skim);
}

static void step(struct hf_skim *skim, char c) {
	switch (skim->state) {
	case HF_SKIM_OPENED:
	case HF_SKIM_COMMA:
		step_before_name(skim, c);
		break;
	case HF_SKIM_NAME:
		step_name(skim, c);
		break;
	case HF_SKIM_TEXT:
		step_text(skim, c);
		break;
	case HF_SKIM_NESTED:
		step_nested(skim, c);
		break;
	case HF_SKIM_WORD:
		step_word(skim, c);
		break;
	case HF_SKIM_AFTER:
		step_after(skim, c);
		break;
	case HF_SKIM_FAILED:
		break;
	default:
		step_between(skim, c);
	}
}

void hf_skim_feed(struct hf_skim *skim, const char *data, size_t len) {
	for (size_t i = 0; i < len && skim->state != HF_SKIM_FAILED; i++)
		step(skim, data[i]);
}

const char *hf_skim_end(struct hf_skim *skim, size_t *ret_len) {
	if (skim->state != HF_SKIM_END)
		return NULL;
	*ret_len = skim->out.len;
	return skim->out.data;
}
