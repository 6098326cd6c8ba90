#ifndef REDISREFUSAL_H
#define REDISREFUSAL_H

/*
 * What an error reply of Redis means, and what a person may do about it. Returns a static string,
 * which quotes nothing of the reply: a server may repeat what it was told, a secret included.
 */
const char *redisrefusal_explain(const char *error);

#endif
