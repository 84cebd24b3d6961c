/* address.h — IP addresses and ranges as numbers.
 *
 * Every address is one 128-bit number; an IPv4 address a.b.c.d is the number of its mapped form ::ffff:a.b.c.d (RFC 4291,
 * 2.5.5.2), so that one order, one key and one arithmetic serve both families. Text and bytes exist only at the edges. All
 * functions are pure and thread-safe.
 */
#ifndef HF_STORAGE_BASE_ADDRESS_H
#define HF_STORAGE_BASE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

/* A number of addresses: 2^64 is a count. */
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

/* Big-endian bytes, so that byte order is number order. */
void hf_addr_put(struct hf_addr a, uint8_t bytes[HF_ADDR_BYTES]);
struct hf_addr hf_addr_read(const uint8_t bytes[HF_ADDR_BYTES]);

/* Reads IPv4 dotted decimal or IPv6 (RFC 4291, 2.2; no zone index).
 * HF_E_INVALID_ADDRESS: the text is not an address, or has the IPv4-mapped form, which would be a second name for an IPv4 address.
 */
enum hf_err hf_addr_parse(const char *text, struct hf_why *why, struct hf_addr *ret) HF_CHECKED;

/* As hf_addr_parse(), but also understands what other programs write for one address: surrounding blanks, the IPv4-mapped form, and
 * the suffix /32 (for IPv4) or /128.
 * HF_E_INVALID_ADDRESS: the text has another form. */
#define HF_ADDR_BLANKS " \t\r\n"
enum hf_err hf_addr_parse_loosely(const char *text, struct hf_addr *ret) HF_CHECKED;

/* Writes the address as RFC 5952 does. */
void hf_addr_format(struct hf_addr a, char ret_text[HF_ADDR_TEXT]);

/* Reads "address/length".
 * HF_E_INVALID_ADDRESS: the text is not a CIDR, has host bits set, or overlaps ::ffff:0:0/96. */
enum hf_err hf_cidr_parse(const char *text, struct hf_why *why, struct hf_range *ret) HF_CHECKED;

/* Reads a CIDR, a single address, or "first-last".
 * HF_E_INVALID_ADDRESS: as for hf_cidr_parse(), or the ends are of two families, or swapped. */
enum hf_err hf_range_parse(const char *text, struct hf_why *why, struct hf_range *ret) HF_CHECKED;

/* Writes a CIDR if the range is one, else "first-last". hf_range_parse() reads it back. */
void hf_range_format(struct hf_range r, char ret_text[HF_RANGE_TEXT]);

bool hf_range_is_cidr(struct hf_range r);
bool hf_range_has(struct hf_range r, struct hf_addr a);
bool hf_range_inside(struct hf_range inner, struct hf_range outer);
bool hf_range_overlaps(struct hf_range a, struct hf_range b);

/* Returns the number of addresses; at most 2^127, as no pool can hold ::/0. */
hf_u128 hf_range_size(struct hf_range r);

/* Writes the decimal digits of a count. Returns ret_text. */
const char *hf_count_format(hf_u128 n, char ret_text[HF_COUNT_TEXT]);

#endif
