/* Room on the disk, with a limit on the size of files for a disk that is full. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/disk/space.h"
#include "tests/unit/support.h"

static struct fixture f;
static char path[PATH_MAX];

static void setup(void) {
	fixture_dir(&f);
	snprintf(path, sizeof path, "%s/file", f.dir);
	signal(SIGXFSZ, SIG_IGN);
}

static void teardown(void) { fixture_remove(&f); }

TestSuite(room, .init = setup, .fini = teardown);

static void limit(rlim_t bytes) {
	struct rlimit now;
	cr_assert_eq(getrlimit(RLIMIT_FSIZE, &now), 0);
	now.rlim_cur = bytes;
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &now), 0);
}

Test(room, a_lack_is_told_from_other_errors) {
	static const int lacks[] = {ENOSPC, EDQUOT, EFBIG}, others[] = {EIO, EACCES, ENOENT, 0};
	for (size_t i = 0; i < sizeof lacks / sizeof *lacks; i++)
		cr_expect_eq(hf_space_err(lacks[i]), HF_E_STORAGE_FULL);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		cr_expect_eq(hf_space_err(others[i]), HF_E_DATA_DIR);
}

Test(room, a_reserved_file_has_its_places_and_keeps_its_bytes) {
	struct stat st;
	char byte = 0;
	cr_assert_eq(hf_space_reserve(path, 70000), 0);
	cr_assert_eq(stat(path, &st), 0);
	cr_expect_eq(st.st_size, 70000);
	cr_expect_geq(st.st_blocks * 512, 70000);
	int fd = open(path, O_RDWR);
	cr_assert_eq(pwrite(fd, "x", 1, 5), 1);
	cr_assert_eq(hf_space_reserve(path, 30000), 0);
	cr_assert_eq(hf_space_reserve(path, 90000), 0);
	cr_assert_eq(pread(fd, &byte, 1, 5), 1);
	cr_expect_eq(byte, 'x');
	cr_assert_eq(fstat(fd, &st), 0);
	cr_expect_eq(st.st_size, 90000);
	close(fd);
	limit(90000);
	cr_expect_eq(hf_space_reserve(path, 100000), EFBIG);
}

Test(room, a_file_is_as_before_when_it_was_asked_whether_it_can_grow) {
	static const off_t sizes[] = {0, 100, 8192, 10000};
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
		for (off_t room = 0; room <= 8192; room += 2048) {
			struct stat st;
			int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
			cr_assert_eq(ftruncate(fd, sizes[i]), 0);
			limit((rlim_t)(sizes[i] + room));
			int lack = hf_space_lack(fd);
			limit(RLIM_INFINITY);
			cr_expect_eq(hf_space_is_short(lack), room < 4096, "%ld of %ld bytes: %d", (long)room, (long)sizes[i],
				     lack);
			cr_assert_eq(fstat(fd, &st), 0);
			cr_expect_eq(st.st_size, sizes[i]);
			close(fd);
		}
}
