/* tokenfile.c — opens, checks and reads the tokens file. */
#include "tokenfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Returns a path's last characters, so that a message has room for the reason. */
static const char *shown(const char *path) {
	size_t len = strlen(path);
	return len > 80 ? path + len - 80 : path;
}

static enum hf_err check(int fd, const char *path, struct hf_why *why) {
	struct stat info;
	if (fstat(fd, &info) != 0)
		return hf_fail(why, HF_E_INVALID_PARAMETER, "tokens: %s: %s", shown(path), strerror(errno));
	if (!S_ISREG(info.st_mode))
		return hf_fail(why, HF_E_INVALID_PARAMETER, "tokens: %s: it is not a regular file", shown(path));
	if (info.st_mode & S_IWOTH)
		return hf_fail(why, HF_E_INVALID_PARAMETER, "tokens: %s: everybody may write to it; chmod o-w", shown(path));
	return HF_OK;
}

/* Reads up to the limit and one byte more. The caller frees *ret. */
static enum hf_err read_all(int fd, const char *path, struct hf_why *why, char **ret, size_t *ret_len) {
	char *text = malloc(HF_TOKENS_FILE_MAX_BYTES + 1);
	size_t len = 0;
	ssize_t n = 1;
	if (!text)
		return hf_no_memory(why);
	while (n != 0 && len <= HF_TOKENS_FILE_MAX_BYTES) {
		n = read(fd, text + len, HF_TOKENS_FILE_MAX_BYTES + 1 - len);
		if (n < 0 && errno != EINTR) {
			free(text);
			return hf_fail(why, HF_E_INVALID_PARAMETER, "tokens: %s: %s", shown(path), strerror(errno));
		}
		len += n > 0 ? (size_t)n : 0;
	}
	*ret = text;
	*ret_len = len;
	return HF_OK;
}

enum hf_err hf_tokenfile_read(const char *path, struct hf_why *why, struct hf_tokens **ret) {
	char *text = NULL;
	size_t len = 0;
	struct hf_why said = {""};
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return hf_fail(why, HF_E_INVALID_PARAMETER, "tokens: %s: %s", shown(path), strerror(errno));
	enum hf_err err = check(fd, path, why);
	if (!err)
		err = read_all(fd, path, why, &text, &len);
	close(fd);
	if (err)
		return err;
	err = hf_tokens_read(text, len, &said, ret);
	free(text);
	return err ? hf_fail(why, err, "tokens: %s: %.140s", shown(path), said.text) : HF_OK;
}
