#include "status.h"

#include "../profile.h"
#include "account.h"

static enum status write_token(const struct account *account, struct buffer *reply)
{
	const struct token *token = &account->token;
	enum status status;

	if (account->unsafe.reason[0] != '\0')
		status = buffer_printf(reply, "  token     refused: %s\n", account->unsafe.reason);
	else if (!token->value)
		status = buffer_printf(reply, "  token     none cached\n");
	else
		status =
			buffer_printf(reply, "  token     %lld seconds left%s%s\n", account->left_s,
				token->scope ? ", scope " : "", token->scope ? token->scope : "");
	if (!status && account->scope_narrower)
		status = buffer_printf(
			reply, "  warning   asked for scope %s\n", account->profile->scope);
	if (!status && account->refusal.reason[0] != '\0')
		status = buffer_printf(reply, "  refusal   %s\n", account->refusal.reason);
	return status;
}

static enum status write_account(const struct account *account, struct call *call)
{
	const struct profile *profile = account->profile;
	const char *client =
		profile->client_id ? profile->client_id : "as the secret's source says";
	const char *source = account->source ? account->source : "none: login has kept nothing";
	struct buffer *reply = call->reply;
	enum status status = buffer_printf(reply, "profile %s\n", profile->name);

	for (size_t i = 0; i < profile->origin.count && !status; i++)
		status = buffer_printf(reply, "  origin    %s\n", profile->origin.items[i]);
	if (!status)
		status = buffer_printf(reply, "  endpoint  %s\n",
			profile->token_url ? profile->token_url : profile->issuer);
	if (!status)
		status = buffer_printf(reply, "  client    %s\n  secret    %s\n", client, source);
	return status ? status : write_token(account, reply);
}

enum status status_show(struct call *call, struct failure *failure)
{
	return account_each(call, write_account, failure);
}
