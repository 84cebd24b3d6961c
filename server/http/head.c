/* head.c — walks over the raw head. */
#include "head.h"

#include <string.h>

#define LINE_END 2 /* CR LF, which libmicrohttpd has replaced by two NULs */

/* Where a byte may occur. */
enum { TOKEN = 1, FIELD = 2, TARGET = 4 };

static const unsigned char CLASSES[256] = {
	['\t'] = FIELD,
	[' '] = FIELD,
	['!'] = TOKEN | FIELD | TARGET,
	['"'] = FIELD | TARGET,
	['#' ... '\''] = TOKEN | FIELD | TARGET,
	['(' ... ')'] = FIELD | TARGET,
	['*' ... '+'] = TOKEN | FIELD | TARGET,
	[','] = FIELD | TARGET,
	['-' ... '.'] = TOKEN | FIELD | TARGET,
	['/'] = FIELD | TARGET,
	['0' ... '9'] = TOKEN | FIELD | TARGET,
	[':' ... '@'] = FIELD | TARGET,
	['A' ... 'Z'] = TOKEN | FIELD | TARGET,
	['[' ... ']'] = FIELD | TARGET,
	['^' ... 'z'] = TOKEN | FIELD | TARGET,
	['{'] = FIELD | TARGET,
	['|'] = TOKEN | FIELD | TARGET,
	['}'] = FIELD | TARGET,
	['~'] = TOKEN | FIELD | TARGET,
	[0x80 ... 0xff] = FIELD | TARGET, /* the API refuses a path that is not UTF-8, with a better message */
};

/* Counts the bytes of a class at the front; NUL is in no class. */
static size_t span(const char *at, int class) {
	const char *from = at;
	while (CLASSES[(unsigned char)*at] & class)
		at++;
	return (size_t)(at - from);
}

static bool at_line_end(const struct hf_head *head, const char *at) {
	return head->end - at >= LINE_END && at[0] == '\0' && at[1] == '\0';
}

static enum hf_err refuse_line(const char *what, struct hf_why *why) {
	return hf_fail(why, HF_E_INVALID_PARAMETER, "the request line %s", what);
}

enum hf_err hf_head_begin(struct hf_head *head, const char *method, size_t size, const char *target, const char *sent,
			  const char *version, struct hf_why *why) {
	*head = (struct hf_head){.at = method, .end = method + size};
	size_t len = span(method, TOKEN);
	if (len == 0 || method[len] != '\0')
		return refuse_line("does not begin with a method", why);
	size_t target_len = span(sent, TARGET);
	if (target != method + len + 1 || sent[target_len] != '\0' || version != target + target_len + 1)
		return refuse_line("has a control character or a misplaced space or tab", why);
	head->at = version + strlen(version);
	if (!at_line_end(head, head->at))
		return refuse_line("does not end with CR LF", why);
	head->at += LINE_END;
	return HF_OK;
}

static enum hf_err refuse(const struct hf_head *head, const char *what, struct hf_why *why) {
	if (!head->name)
		return hf_fail(why, HF_E_INVALID_PARAMETER, "after the request line, %s", what);
	return hf_fail(why, HF_E_INVALID_PARAMETER, "after the header \"%.60s\", %s", head->name, what);
}

enum hf_err hf_head_take(struct hf_head *head, const char *name, size_t name_len, const char *value, size_t value_len,
			 struct hf_why *why) {
	if (name != head->at || name_len >= (size_t)(head->end - name))
		return refuse(head, "a line is folded, begins with a colon, or does not end with CR LF", why);
	size_t token = span(name, TOKEN);
	if (token != name_len || token == 0)
		return refuse(head,
			      "the next header's name is empty, or has a space, a tab or another character that names cannot have",
			      why);
	head->name = name;
	const char *from = name + name_len + 1; /* after the colon, which is a NUL now */
	from += strspn(from, " \t");
	if (value != from || span(value, FIELD) != value_len || value[value_len] != '\0')
		return hf_fail(why, HF_E_INVALID_PARAMETER, "header \"%.60s\": its value has a control character", name);
	head->at = value + value_len;
	if (!at_line_end(head, head->at))
		return hf_fail(why, HF_E_INVALID_PARAMETER,
			       "header \"%.60s\": its value has a NUL, or its line does not end with CR LF", name);
	head->at += LINE_END;
	return HF_OK;
}

enum hf_err hf_head_end(const struct hf_head *head, struct hf_why *why) {
	if (at_line_end(head, head->at) && head->end - head->at == LINE_END)
		return HF_OK;
	return refuse(head, "a line is folded, begins with a colon, or does not end with CR LF", why);
}
