/* container.h — from a member back to the struct around it. */
#ifndef HF_STORAGE_BASE_CONTAINER_H
#define HF_STORAGE_BASE_CONTAINER_H

#include <stddef.h>

/* The struct whose `member` is at `pointer`: HF_CONTAINER_OF(share, struct kept, share). The compiler refuses a pointer of another
 * type than the member's. */
#define HF_CONTAINER_OF(pointer, type, member) ((type *)((char *)(1 ? (pointer) : &((type *)0)->member) - offsetof(type, member)))

#endif
