// The door that Shopify knocks at: express, the body as it came, the signature by Shopify's own library. It answers 200
// when `enqueue` has resolved, so after the queue's commit, and 503 when it could not: Shopify then sends again.

import '@shopify/shopify-api/adapters/node';
import { ApiVersion, LogSeverity, shopifyApi } from '@shopify/shopify-api';
import express from 'express';
import { clientSecret, port } from './settings.mjs';

const shopify = shopifyApi({
  apiKey: 'bench',
  apiSecretKey: clientSecret,
  apiVersion: Object.values(ApiVersion).at(-1),
  hostName: 'localhost',
  isEmbeddedApp: false,
  logger: { level: LogSeverity.Error },
});

// `enqueue(webhookId, order)` makes the order durable; `counts()` says what the queue holds.
export function open({ enqueue, counts }) {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');

  app.post('/webhooks/shopify', express.raw({ type: () => true, limit: '5mb' }), async (request, response) => {
    const rawBody = request.body.toString('utf8');
    const webhook = await shopify.webhooks.validate({ rawBody, rawRequest: request, rawResponse: response });
    if (!webhook.valid) return response.sendStatus(401);
    await enqueue(webhook.webhookId, JSON.parse(rawBody));
    response.sendStatus(200);
  });

  app.get('/readyz', (_request, response) => response.sendStatus(200));
  app.get('/counts', async (_request, response) => response.json(await counts()));

  app.use((_error, _request, response, _next) => response.sendStatus(503));
  return app.listen(port, '127.0.0.1');
}
