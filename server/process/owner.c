/* owner.c — finds the owner of a data directory, and takes its ids. */
#include "owner.h"

#include <errno.h>
#include <grp.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool owner_of(const char *dir, uid_t *ret_user, gid_t *ret_group) {
	char copy[PATH_MAX];
	struct stat st;
	if (geteuid() != 0)
		return false;
	if (lstat(dir, &st) != 0) {
		if (errno != ENOENT || snprintf(copy, sizeof copy, "%s", dir) >= (int)sizeof copy || stat(dirname(copy), &st) != 0)
			return false;
	} else if (S_ISLNK(st.st_mode) && st.st_uid == 0 && stat(dir, &st) != 0) {
		return false;
	}
	*ret_user = st.st_uid;
	*ret_group = st.st_gid;
	return st.st_uid != 0;
}

bool hf_owner_is_another(const char *dir) {
	uid_t user;
	gid_t group;
	return owner_of(dir, &user, &group);
}

enum hf_err hf_owner_become(const char *dir, struct hf_why *why, bool *ret_changed) {
	uid_t user;
	gid_t group;
	bool is_another = owner_of(dir, &user, &group);
	if (is_another && (setgroups(1, &group) != 0 || setresgid(group, group, group) != 0 || setresuid(user, user, user) != 0 ||
			   setuid(0) == 0))
		return hf_fail(why, HF_E_PRECONDITION_FAILED,
			       "%.100s belongs to user %lu, whose ids cannot be taken (%s); run this as that user, because root "
			       "would follow that user's links",
			       dir, (unsigned long)user, strerror(errno));
	if (is_another && access(dir, F_OK) != 0 && errno == EACCES)
		return hf_fail(why, HF_E_PRECONDITION_FAILED,
			       "%.120s belongs to user %lu, who cannot search a directory above it; allow that", dir,
			       (unsigned long)user);
	if (ret_changed)
		*ret_changed = is_another;
	return HF_OK;
}
