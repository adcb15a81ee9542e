// What the bench hands to a peer, by environment.

export const port = Number(required('PORT'));
export const clientSecret = required('SHOPIFY_CLIENT_SECRET');
export const erpUrl = required('ERP_URL');
export const storeUrl = process.env.POSTGRES_URL ?? process.env.REDIS_URL;

// `web` answers Shopify, `worker` delivers, `all` does both in one process.
export const role = process.env.ROLE ?? 'all';
export const isWeb = role !== 'worker';
export const isWorker = role !== 'web';

// Orders delivered at once: as many as Tidegate has beside it.
export const concurrency = Number(process.env.CONCURRENCY ?? 16);

function required(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: the peer is started by \`tidegate bench --peer\``);
  return value;
}
