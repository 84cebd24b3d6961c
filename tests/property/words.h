/* words.h — operations in words, appended to the run's text. */
#ifndef HF_TESTS_WORDS_H
#define HF_TESTS_WORDS_H

#include "check.h"
#include "storage/requests/move.h"

void say(struct run *run, const char *format, ...) HF_PRINTF(2, 3);
void say_acquire(struct run *run, const struct hf_acquire *acquire);
void say_move(struct run *run, const struct hf_move *move);
void say_release(struct run *run, const struct hf_release *release);
void say_zone(struct run *run, const struct hf_zone_connect *connect, const struct hf_zone_disconnect *disconnect); /* either */
void say_put(struct run *run, const struct m_pool_put *put);

#endif
