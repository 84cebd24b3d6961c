/* routes.h — the static route table: the program's table of contents. */
#ifndef HF_API_ROUTES_H
#define HF_API_ROUTES_H

#include "api/call/route.h"

extern const struct hf_route HF_ROUTES[];
extern const int HF_ROUTES_COUNT;

#endif
