// Orders by express and pg-boss: a webhook is a job in PostgreSQL before it is answered, a worker delivers it. What the
// settings are for is told in README.md.

import { PgBoss } from 'pg-boss';
import { open } from '../shared/door.mjs';
import { deliver } from '../shared/erp.mjs';
import { concurrency, isWeb, isWorker, storeUrl } from '../shared/settings.mjs';

const QUEUE = 'orders';
const BATCH = 8;

const boss = new PgBoss({
  connectionString: storeUrl,
  max: 16,
  // Workers are woken at once; the polling below remains as the safety net.
  useListenNotify: true,
  // How soon the jobs of a worker that died are found: its heartbeat is at least 10 s.
  superviseIntervalSeconds: 5,
  monitorIntervalSeconds: 5,
});
// A database that goes away is connected to again by the pool; without a listener the process would end.
boss.on('error', (error) => console.error(error.message));

await boss.start();
await boss.createQueue(QUEUE, {
  // A table of its own, as pg-boss advises for a large queue.
  partition: true,
  notify: true,
  // A back-off of 1 s that grows to a minute, for two weeks: a target that is down for a night costs no order.
  retryLimit: 100_000,
  retryDelay: 1,
  retryBackoff: true,
  retryDelayMax: 60,
  retentionSeconds: 14 * 86_400,
  heartbeatSeconds: 10,
});

if (isWeb) {
  open({
    // The webhook's id is the job's: a copy of a webhook is no second job.
    enqueue: (webhookId, order) => boss.send(QUEUE, order, { id: webhookId }),
    counts: async () => {
      const [now] = await boss.getQueueStats(QUEUE, { force: true });
      return { waiting: now.queuedCount, active: now.activeCount, given_up: now.failedCount };
    },
  });
}

if (isWorker) {
  const settings = {
    // Batches cost the database less than one job at a time; each job of a batch is settled by itself.
    batchSize: BATCH,
    localConcurrency: Math.ceil(concurrency / BATCH),
    perJobResults: true,
    burstWhenBatchFull: true,
    pollingIntervalSeconds: 0.5,
    notifyPollingIntervalSeconds: 0.5,
  };
  await boss.work(QUEUE, settings, (jobs) => Promise.all(jobs.map(settle)));
}

async function settle(job) {
  try {
    await deliver(job.data);
    return { id: job.id, status: 'completed' };
  } catch (error) {
    return { id: job.id, status: 'failed', output: { message: error.message } };
  }
}
