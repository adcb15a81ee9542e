// Orders by express and BullMQ: a webhook is a job in Redis, synced to disk, before it is answered; a worker delivers it.
// What the settings are for is told in README.md.

import { Queue, Worker } from 'bullmq';
import { open } from '../shared/door.mjs';
import { deliver } from '../shared/erp.mjs';
import { concurrency, isWeb, isWorker, storeUrl } from '../shared/settings.mjs';

const QUEUE = 'orders';
const DAY_S = 86_400;

if (isWeb) {
  const queue = new Queue(QUEUE, {
    // Without Redis a webhook is refused at once, and Shopify sends it again; nothing is kept in the process's memory.
    connection: { url: storeUrl, enableOfflineQueue: false, maxRetriesPerRequest: 1 },
    defaultJobOptions: {
      // The worker's `backoffStrategy` says how long each waits.
      attempts: 100_000,
      backoff: { type: 'custom' },
      // A finished job stays for a day, so that a late copy of its webhook is known.
      removeOnComplete: { age: DAY_S },
      removeOnFail: false,
    },
  });
  queue.on('error', (error) => console.error(error.message));
  await queue.waitUntilReady();
  open({
    // The webhook's id is the job's: a copy of a webhook is no second job.
    enqueue: (webhookId, order) => queue.add('order', order, { jobId: webhookId }),
    counts: async () => {
      const now = await queue.getJobCounts('wait', 'prioritized', 'delayed', 'active', 'failed');
      return { waiting: now.wait + now.prioritized + now.delayed, active: now.active, given_up: now.failed };
    },
  });
}

if (isWorker) {
  const worker = new Worker(QUEUE, (job) => deliver(job.data), {
    connection: { url: storeUrl, maxRetriesPerRequest: null },
    concurrency,
    // How soon the jobs of a worker that died are found, and how often one may be found so before it is given up: the
    // default is once.
    lockDuration: 10_000,
    stalledInterval: 5_000,
    maxStalledCount: 100_000,
    settings: {
      // A back-off of 1 s that grows to a minute.
      backoffStrategy: (attempts) => Math.min(60_000, 1_000 * 2 ** Math.min(attempts - 1, 6)) * (0.5 + Math.random() / 2),
    },
  });
  worker.on('error', (error) => console.error(error.message));
}
