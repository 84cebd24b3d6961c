/* routes.h — the static route table: the program's table of contents. */
#ifndef HF_API_ROUTES_H
#define HF_API_ROUTES_H

#include "api/call/route.h"

extern const struct hf_route HF_ROUTES[];
extern const int HF_ROUTES_COUNT;

/* What an operator needs most: it is answered also where only the connections are left that are kept for that. NULL is nothing. */
bool hf_route_is_kept(const struct hf_route *route);

#endif
