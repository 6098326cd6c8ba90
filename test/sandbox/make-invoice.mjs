// Writes the sample document: node make-invoice.mjs >invoice.pdf. A4, one page, Helvetica, and
// nothing compressed, so that it can be read with eyes too. Everybody in it is made up.
const LEFT = 72;
const TOP = 770;

const LINES = [
  ['F2', 18, 'Southern Sample Stationery Pty Ltd'],
  ['F1', 10, 'ABN: 00 000 000 000'],
  ['F1', 10, ''],
  ['F2', 14, 'TAX INVOICE'],
  ['F1', 11, 'Invoice number: INV-2042'],
  ['F1', 11, 'Invoice date: 2024-03-01'],
  ['F1', 11, 'Due date: 2024-03-31'],
  ['F1', 11, 'Purchase order: PO-7781'],
  ['F1', 11, 'Bill to: Example Widgets Pty Ltd'],
  ['F1', 11, ''],
  ['F2', 11, 'Goods'],
  ['F1', 11, '40 reams of copy paper (80 gsm) at 12.50 each: 500.00'],
  ['F1', 11, '7 boxes of envelopes (C5) at 100.00 each: 700.00'],
  ['F1', 11, ''],
  ['F1', 11, 'Subtotal: 1,200.00'],
  ['F1', 11, 'GST (10%): 120.00'],
  ['F2', 12, 'Total: 1,320.00'],
  ['F2', 12, 'Amount due: AUD 1,320.00'],
];

const escape = (text) => text.replace(/[\\()]/g, '\\$&');

function content() {
  const shown = LINES.map(([font, size, text]) => `/${font} ${size} Tf 0 -${size + 9} Td (${escape(text)}) Tj`);
  return `BT\n${LEFT} ${TOP} Td\n${shown.join('\n')}\nET`;
}

function objects() {
  const stream = content();
  const font = (name) => `<< /Type /Font /Subtype /Type1 /BaseFont /${name} /Encoding /WinAnsiEncoding >>`;
  return [
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R\n'
      + '   /Resources << /Font << /F1 5 0 R /F2 6 0 R >> >> >>',
    `<< /Length ${stream.length} >>\nstream\n${stream}\nendstream`,
    font('Helvetica'),
    font('Helvetica-Bold'),
    '<< /Title (Tax invoice INV-2042) >>',
  ];
}

// The table at the end says at which byte each object starts.
function document() {
  let body = '%PDF-1.4\n';
  const offsets = objects().map((object, i) => {
    const offset = body.length;
    body += `${i + 1} 0 obj\n${object}\nendobj\n`;
    return offset;
  });
  const rows = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`);
  const size = offsets.length + 1;
  return `${body}xref\n0 ${size}\n0000000000 65535 f \n${rows.join('')}`
    + `trailer\n<< /Size ${size} /Root 1 0 R /Info ${offsets.length} 0 R >>\nstartxref\n${body.length}\n%%EOF\n`;
}

process.stdout.write(document(), 'latin1');
