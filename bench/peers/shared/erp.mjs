// An order goes to the back office: looked up by its reference, created where it is not there, confirmed. Whatever fails
// throws, and the queue tries again; the look-up keeps a second try from making a second sale.

import { referenceOf, saleOf } from './sale.mjs';
import { erpUrl } from './settings.mjs';

const TIMEOUT_MS = 20_000;

export async function deliver(order) {
  const found = await ask('GET', `/sales?reference=${encodeURIComponent(referenceOf(order))}`);
  const sale = found.sales[0] ?? (await ask('POST', '/sales', saleOf(order)));
  if (sale.state !== 'confirmed') {
    await ask('POST', `/sales/${encodeURIComponent(sale.id)}/confirm`, { version: sale.version });
  }
}

async function ask(method, path, body) {
  const response = await fetch(erpUrl + path, {
    method,
    headers: { authorization: 'Bearer bench-erp-token', ...(body && { 'content-type': 'application/json' }) },
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!response.ok) throw new Error(`${method} ${path.split('?')[0]}: ${response.status}`);
  return response.json();
}
