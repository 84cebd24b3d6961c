/* address.h — IP addresses and ranges as numbers.
 *
 * Every address is one 128-bit number; an IPv4 address a.b.c.d is the number of its mapped form ::ffff:a.b.c.d (RFC 4291,
 * 2.5.5.2), so that both families share one order, one key and one arithmetic. Text and bytes exist only at the edges. All
 * functions are pure and thread-safe.
 */
#ifndef HF_STORAGE_BASE_ADDRESS_H
#define HF_STORAGE_BASE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

/* A number of addresses, which can exceed 2^64. */
__extension__ typedef unsigned __int128 hf_u128;

enum hf_family { HF_IPV4, HF_IPV6 };
#define HF_FAMILIES 2 /* also the most addresses a lease can have */

struct hf_addr {
	hf_u128 n;
};

/* first <= last, both of one family. A CIDR is a range whose size is a power of two and whose first address is a multiple of it. */
struct hf_range {
	struct hf_addr first, last;
};

#define HF_ADDR_BYTES 16
#define HF_ADDR_TEXT 46	 /* longest address as text, with its NUL */
#define HF_RANGE_TEXT 96 /* longest range as text, with its NUL */
#define HF_COUNT_TEXT 40 /* longest hf_u128 in decimal, with its NUL */

enum hf_family hf_addr_family(struct hf_addr a);

/* Writes and reads big-endian bytes, so that byte order is number order. */
void hf_addr_put(struct hf_addr a, uint8_t bytes[HF_ADDR_BYTES]);
struct hf_addr hf_addr_read(const uint8_t bytes[HF_ADDR_BYTES]);

/* Reads an IPv4 address in dotted decimal, or an IPv6 address (RFC 4291, 2.2; no zone index).
 * Fails with HF_E_INVALID_ADDRESS if the text is not an address, or has the IPv4-mapped form, a second name for an IPv4 address. */
enum hf_err hf_addr_parse(const char *text, struct hf_why *why, struct hf_addr *ret) HF_CHECKED;

/* Reads an address as hf_addr_parse() does, and also the forms that other programs write: surrounding blanks, the IPv4-mapped
 * form, and the suffix /32 (for IPv4) or /128.
 * Fails with HF_E_INVALID_ADDRESS if the text has any other form. */
#define HF_ADDR_BLANKS " \t\r\n"
enum hf_err hf_addr_parse_loosely(const char *text, struct hf_addr *ret) HF_CHECKED;

/* Writes the address in the form of RFC 5952. */
void hf_addr_format(struct hf_addr a, char ret_text[HF_ADDR_TEXT]);

/* Reads "address/length".
 * Fails with HF_E_INVALID_ADDRESS if the text is not a CIDR, has host bits set, or overlaps ::ffff:0:0/96. */
enum hf_err hf_cidr_parse(const char *text, struct hf_why *why, struct hf_range *ret) HF_CHECKED;

/* Reads a CIDR, a single address, or "first-last".
 * Fails with HF_E_INVALID_ADDRESS if the text has any other form, or the two ends differ in family or are swapped. */
enum hf_err hf_range_parse(const char *text, struct hf_why *why, struct hf_range *ret) HF_CHECKED;

/* Writes a CIDR if the range is one, else "first-last". hf_range_parse() reads it back. */
void hf_range_format(struct hf_range r, char ret_text[HF_RANGE_TEXT]);

bool hf_range_is_cidr(struct hf_range r);

/* Whether it is a range at all: first <= last, of one family, and no IPv6 range around the IPv4-mapped addresses. */
bool hf_range_is_sound(struct hf_range r);

bool hf_range_has(struct hf_range r, struct hf_addr a);
bool hf_range_inside(struct hf_range inner, struct hf_range outer);
bool hf_range_overlaps(struct hf_range a, struct hf_range b);

/* Returns the number of addresses; at most 2^127, as no pool can hold ::/0. */
hf_u128 hf_range_size(struct hf_range r);

/* Writes the decimal digits of a count. Returns ret_text. */
const char *hf_count_format(hf_u128 n, char ret_text[HF_COUNT_TEXT]);

#endif
