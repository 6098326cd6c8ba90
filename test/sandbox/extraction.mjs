// From a document's text to the fields of Sypht's results.
import { textOf } from './pdf.mjs';

const asIs = (text) => text.trim();
const amount = (text) => Number(/[\d,]+\.\d\d/.exec(text)[0].replaceAll(',', '')).toFixed(2);

// What a field is called, the line that holds it, and how its value is written.
const FIELDS = [
  ['document.date', /^Invoice date: *(.+)$/m, asIs],
  ['document.referenceNo', /^Invoice number: *(.+)$/m, asIs],
  ['document.supplierABN', /^ABN: *(.+)$/m, asIs],
  ['invoice.dueDate', /^Due date: *(.+)$/m, asIs],
  ['invoice.purchaseOrderNo', /^Purchase order: *(.+)$/m, asIs],
  ['invoice.subTotal', /^Subtotal: *(.+\.\d\d)$/m, amount],
  ['invoice.tax', /^GST.*: *(.+\.\d\d)$/m, amount],
  ['invoice.total', /^Total: *(.+\.\d\d)$/m, amount],
  ['invoice.amountDue', /^Amount due: *(.+\.\d\d)$/m, amount],
];

// The prefixes of the fields each name asks for.
const FIELD_SETS = { 'sypht.document': ['document.'], 'sypht.invoice': ['invoice.'] };
const PRODUCTS = { invoices: ['document.', 'invoice.'] };

// ["a","b"], or a alone, as the API takes both; null if one is unknown.
function prefixesFor(known, text) {
  const names = text.trim().startsWith('[') ? JSON.parse(text) : [text.trim()];
  return names.every((name) => known[name]) ? names.flatMap((name) => known[name]) : null;
}

export function wantedPrefixes({ fieldSets, products }) {
  try {
    return prefixesFor(...(fieldSets === null ? [PRODUCTS, products] : [FIELD_SETS, fieldSets]));
  } catch {
    return null;
  }
}

export function extract(document, prefixes) {
  const text = textOf(document);
  const found = FIELDS.flatMap(([name, line, write]) => {
    const match = prefixes.some((prefix) => name.startsWith(prefix)) && line.exec(text);
    return match ? [{ name, value: write(match[1]) }] : [];
  });
  return { fields: found };
}
