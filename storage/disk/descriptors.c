/* descriptors.c — keeps our files off descriptors 0, 1 and 2. */
#include "descriptors.h"

#include <fcntl.h>
#include <unistd.h>

bool hf_descriptors_fill(void) {
	static const int modes[] = {[STDIN_FILENO] = O_WRONLY, [STDOUT_FILENO] = O_RDONLY, [STDERR_FILENO] = O_WRONLY};
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", modes[fd]) != fd) /* open() returns the lowest unused number */
			return false;
	return true;
}
