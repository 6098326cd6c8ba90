"""Prints each message that the programs can end with, one a line, "..." standing for what varies.

    messages.py FILE...
"""
import re
import sys

LITERAL = r'"(?:[^"\\]|\\.)*"'
# adjacent literals and macros make one format
CALL = re.compile(r'status_fail\(\s*[^,()]+,\s*(?:\([^()]*\)\s*)?[^,()]+(?:\([^()]*\))?,\s*((?:(?:%s|[A-Z_]{2,})\s*)+)' % LITERAL)
CONVERSION = re.compile(r'%(?:\.\d+|\.\*)?(?:l|ll|z)?[sdiuxc]')


def text_of(format_):
    parts = re.findall(r'%s|[A-Z_]{2,}' % LITERAL, format_)
    text = ''.join(part[1:-1] if part[0] == '"' else
                   {'PROGRAM': 'sypht-credential'}.get(part, '%s') for part in parts)
    return CONVERSION.sub('...', text.replace('\\"', '"'))


for path in sys.argv[1:]:
    with open(path, encoding='utf-8') as file:
        for found in CALL.finditer(file.read()):
            message = text_of(found[1])
            # what is but punctuation passes another message on
            if sum(map(str.isalpha, message)) > 5:
                print(message)
