/* format_support.c — reads the examples of storage/FORMAT.md. */
#include "format_support.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

struct hf_slice vector(const char *name, uint8_t buffer[VECTOR_MAX]) {
	static char text[65536];
	char label[64];
	FILE *file = fopen(FORMAT_MD, "r");
	cr_assert(file, "%s", FORMAT_MD);
	text[fread(text, 1, sizeof text - 1, file)] = '\0';
	fclose(file);
	snprintf(label, sizeof label, "\n%s: ", name);
	const char *at = strstr(text, label);
	cr_assert(at, "FORMAT.md has no \"%s\"", name);
	size_t digits = 0;
	memset(buffer, 0, VECTOR_MAX);
	for (at += strlen(label); *at && !(*at == '\n' && at[1] != ' '); at++) {
		if (isspace((unsigned char)*at))
			continue;
		cr_assert(isxdigit((unsigned char)*at) && digits / 2 < VECTOR_MAX, "%s: \"%.20s\"", name, at);
		int nibble = isdigit((unsigned char)*at) ? *at - '0' : *at - 'a' + 10;
		buffer[digits / 2] = (uint8_t)(buffer[digits / 2] << 4 | nibble);
		digits++;
	}
	cr_assert(digits > 0 && digits % 2 == 0, "%s: %zu digits", name, digits);
	return (struct hf_slice){buffer, digits / 2};
}

void expect_bytes(const char *name, struct hf_slice got) {
	uint8_t buffer[VECTOR_MAX];
	char hex[2 * VECTOR_MAX + 1] = "";
	struct hf_slice want = vector(name, buffer);
	for (size_t i = 0; i < got.len && i < VECTOR_MAX; i++)
		sprintf(hex + 2 * i, "%02x", ((const uint8_t *)got.data)[i]);
	cr_expect(got.len == want.len && memcmp(got.data, want.data, want.len) == 0, "%s is %s", name, hex);
}
