/* routes.h — the static route table: the program's table of contents. */
#ifndef HF_API_ROUTES_H
#define HF_API_ROUTES_H

#include "api/call/route.h"

extern const struct hf_route HF_ROUTES[];
extern const int HF_ROUTES_COUNT;

/* Returns whether a route serves what an operator needs most: it is still answered when only the connections kept for operators
 * are left. NULL is not such a route. */
bool hf_route_is_kept(const struct hf_route *route);

#endif
