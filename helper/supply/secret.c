#include "supply/secret.h"

#include "core/buffer.h"

/* Copies, as the text of a source is wiped before the secret is used. */
enum status secret_set(struct secret *secret, const char *client_id, const char *client_secret,
	struct failure *failure)
{
	secret->client_id = buffer_duplicate(client_id);
	secret->client_secret = buffer_duplicate(client_secret);
	return secret->client_id && secret->client_secret ? STATUS_OK : status_no_memory(failure);
}

void secret_release(struct secret *secret)
{
	buffer_free_text(secret->client_id);
	buffer_free_text(secret->client_secret);
	buffer_free_text(secret->private_key);
	buffer_free_text(secret->key_password);
	buffer_free_text(secret->certificate);
	buffer_free_text(secret->assertion);
	*secret = (struct secret)SECRET_INIT;
}
