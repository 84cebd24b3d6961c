/* refusal.c — writes answers to the socket, and knows the requests that the handler has not seen. */
#include "refusal.h"

#include <stddef.h>
#include <sys/socket.h>
#include <time.h>

#include "api/text/buf.h"
#include "browser.h"

static _Thread_local struct hf_unread *unread_heads;

static void write_header(void *out, const char *name, const char *value) { hf_buf_printf(out, "%s: %s\r\n", name, value); }

static void write_head(struct hf_buf *out, const struct hf_call *call) {
	const struct hf_response *from = &call->response;
	char date[40];
	time_t now = time(NULL);
	struct tm utc;
	strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &utc));
	hf_buf_printf(out, "HTTP/1.1 %d %s\r\nDate: %s\r\nConnection: close\r\n", from->status,
		      MHD_get_reason_phrase_for((unsigned)from->status), date);
	for (int i = 0; i < from->n_headers; i++)
		hf_buf_printf(out, "%s: %s\r\n", from->headers[i].name, from->headers[i].value);
	hf_browser_headers(call, write_header, out);
	hf_buf_printf(out, "Content-Type: %s\r\nContent-Length: %zu\r\n\r\n", from->content_type, from->body.len);
}

void hf_refusal_send(struct MHD_Connection *connection, const struct hf_call *call, bool head) {
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct hf_buf out = {0};
	if (!info)
		return;
	write_head(&out, call);
	if (!head)
		hf_buf_add(&out, call->response.body.data, call->response.body.len);
	if (!out.failed)
		(void)!send(info->connect_fd, out.data, out.len, MSG_DONTWAIT | MSG_NOSIGNAL);
	shutdown(info->connect_fd, SHUT_WR);
	hf_buf_free(&out);
}

void hf_unread_add(struct hf_unread *unread, struct MHD_Connection *connection,
		   void (*refuse)(struct hf_unread *unread, enum hf_err err, const char *detail)) {
	*unread = (struct hf_unread){unread_heads, &unread_heads, connection, refuse};
	if (unread->next)
		unread->next->place = &unread->next;
	unread_heads = unread;
}

void hf_unread_remove(struct hf_unread *unread) {
	if (!unread->place)
		return;
	*unread->place = unread->next;
	if (unread->next)
		unread->next->place = unread->place;
	unread->place = NULL;
}

/* Returns true if the head is complete: its size is known only then, and 0 again from the next request on. */
static bool is_complete(const struct hf_unread *unread) {
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(unread->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	return info && info->header_size > 0;
}

void hf_refusal_by_library(unsigned status) {
	struct hf_unread *unread = unread_heads;
	while (unread && !is_complete(unread))
		unread = unread->next;
	if (!unread)
		return;
	hf_unread_remove(unread);
	if (status == MHD_HTTP_BAD_REQUEST)
		unread->refuse(unread, HF_E_INVALID_PARAMETER, "Content-Length is not a number of bytes in decimal digits");
	else if (status == MHD_HTTP_CONTENT_TOO_LARGE)
		unread->refuse(unread, HF_E_BODY_TOO_LARGE, "Content-Length is a number of more than 64 bits");
	else
		unread->refuse(unread, HF_E_HEADERS_TOO_LARGE, "the headers leave no room for the cookies");
}
