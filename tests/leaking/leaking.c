/* leaking.c — a test that passes, and leaks: tests/sanitized must not let it pass. Criterion runs each test in a process of its own
 * and does not look at how the sanitizers end it. */
#include <criterion/criterion.h>
#include <stdlib.h>

Test(leaking, it_passes) {
	void *volatile leaked = malloc(33);
	cr_assert(leaked);
	leaked = NULL;
}
