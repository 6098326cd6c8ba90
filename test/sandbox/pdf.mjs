// The text of a simple PDF: the strings its uncompressed content streams show, a line for each
// text object or move to a new line. No fonts, no filters, no encryption.
const STREAM = /stream\r?\n([\s\S]*?)\r?\nendstream/g;
const TEXT_OBJECT = /\bBT\b([\s\S]*?)\bET\b/g;

// A literal string, or an operator: to the next line, or the end of a shown string.
const PIECE = /\(((?:\\[\s\S]|[^\\()])*)\)|(T\*|\bT[dDm]\b)/g;
const ESCAPES = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' };

function unescape(literal) {
  return literal.replace(/\\([0-7]{1,3}|[\s\S])/g, (_, escaped) => (
    /^[0-7]/.test(escaped)
      ? String.fromCharCode(parseInt(escaped, 8))
      : ESCAPES[escaped] ?? escaped));
}

export function textOf(pdf) {
  const source = pdf.toString('latin1');
  if (!source.startsWith('%PDF-')) return '';

  let text = '';
  for (const [, stream] of source.matchAll(STREAM)) {
    for (const [, shown] of stream.matchAll(TEXT_OBJECT)) {
      for (const [, literal] of shown.matchAll(PIECE)) {
        text += literal === undefined ? '\n' : unescape(literal);
      }
      text += '\n';
    }
  }
  return text.replace(/\n+/g, '\n').trim();
}
