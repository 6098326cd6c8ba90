#!/usr/bin/env bats
# What others said and we repeat: helper/mint/quote.c, alone.

load ../lib/suite

setup_file() {
	local root=$BATS_TEST_DIRNAME/../..

	# shellcheck disable=SC2086
	${CC:-cc} -std=c11 -D_GNU_SOURCE ${SANITIZE:-} -I"$root/helper" -o "$BATS_FILE_TMPDIR/quote" \
		"$root/test/drivers/quote.c" "$root"/helper/{mint/quote,core/{text,buffer,status}}.c
}

# quote MOST [SECRET…] <<<text
quote() {
	try "$BATS_FILE_TMPDIR/quote" "$@"
	assert_status 0
}

@test "quote: text that is harmless stays as it is" {
	quote 160 secret <<<'Zugriff verweigert: größer als 1 €, 日本語 😀 "x" \y <z> &'
	assert_output 'Zugriff verweigert: größer als 1 €, 日本語 😀 "x" \y <z> &'
	quote 160 <<<'nothing was told, nothing is hidden'
	assert_output 'nothing was told, nothing is hidden'
	quote 160 '' <<<'an empty secret hides nothing'
	assert_output 'an empty secret hides nothing'
}

@test "quote: control characters, C0, DEL and C1, become question marks" {
	quote 160 < <(printf 'a\x1b[31mb\x07c\rd\te\x7ff\xc2\x9bg\xc2\x85h\n')
	assert_output 'a?[31mb?c?d?e?f?g?h'
}

@test "quote: what turns a line around, or breaks it, becomes a question mark" {
	quote 160 < <(LC_ALL=C.UTF-8 printf 'a\u202eb\u2066c\u2028d\u200fe\ufefff\n')
	assert_output 'a?b?c?d?e?f'
}

@test "quote: bytes that are no UTF-8 become question marks, each of them" {
	# a lone byte, an overlong slash, a surrogate, beyond Unicode, cut short
	quote 160 < <(printf 'a\xffb\xc0\xafc\xed\xa0\x80d\xf4\x90\x80\x80e\xe2\x82\n')
	assert_output 'a?b??c???d????e??'
}

@test "quote: a character that does not fit is left out in full" {
	local most
	for most in 5 6 7 8; do
		quote $most <<<'xxx€€'
		case $most in
		8) assert_output 'xxx€' ;;
		*) assert_output "$([ $most = 5 ] && echo xxx || echo xxx€)" ;;
		esac
	done
	quote 9 <<<'xxxxx😀'
	assert_output 'xxxxx😀'
	quote 8 <<<'xxxxx😀'
	assert_output xxxxx
	quote 4 < <(printf '\x80\x80\x80\x80\x80\x80\n')
	assert_output '????'
}

@test "quote: a secret is hidden, in each spelling in which it may come back" {
	local secret='s3cr+t/W?rd ~=1%é'
	python3 - client.id "$secret" >spellings <<-'END'
		import base64, re, sys, urllib.parse
		client, secret = sys.argv[1:]
		form = urllib.parse.quote_plus(secret)
		spelled = [secret, form, urllib.parse.quote(secret, '')]
		spelled += [re.sub('%..', lambda found: found[0].lower(), text) for text in spelled[1:]]
		spelled += [urllib.parse.quote(form, ''), ''.join(f'%{byte:02x}' for byte in secret.encode())]
		for text in (secret, form):
		    for behind in ('', 'x', 'xx', f'{client}:', f'{client}&client_secret='):
		        for before in ('', ':' + client, '&more=1'):
		            pair = (behind + text + before).encode()
		            for encode in base64.b64encode, base64.urlsafe_b64encode:
		                digits = encode(pair).decode()
		                spelled += [digits, digits.rstrip('='), urllib.parse.quote(digits, '')]
		print('\n'.join(spelled))
	END
	sed 's/.*/told & here/' spellings >lines
	quote 160 "$secret" "$(sed -n 2p spellings)" <lines
	assert_equal "$(sort -u <<<"$output")" 'told **** here'
	assert_equal "${#lines[@]}" "$(wc -l <lines)"
	[ "${#lines[@]}" -gt 180 ]
}

@test "quote: a secret is found in front of where the quotation is cut" {
	local most
	for most in {1..40}; do
		quote "$most" 0123456789abcdef <<<'before 0123456789abcdef behind'
		refute_contains "$output" 0
	done
	quote 20 "$(printf 'x%.0s' {1..10000})" < <(printf '%s\n' "$(printf 'x%.0s' {1..10000})!")
	assert_output '****!'
}

@test "quote: a secret twice, and one within another, are hidden" {
	quote 160 abc abcdef <<<'abc abcdef abcabc zabcz'
	assert_output '**** **** ******** z****z'
}
