// Runs a Shopify Function as Shopify does: a fresh instance for each input, which comes in by the standard input and whose answer goes
// out by the standard output. It is given nothing else: no clock, no chance, no file, no environment.
//
//   node function.mjs MODULE ROWS EXPECTED [COUNT]
//
// ROWS has in each line {cart, input, …}; the field EXPECTED is the answer that there has to be. COUNT is the exported global that
// counts instructions. Prints for each row with a `cart` one line of JSON, then one for all of them; fails at the first difference.
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { isDeepStrictEqual } from 'node:util';

const [path, rows, field, count] = process.argv.slice(2);
const module = await WebAssembly.compile(await readFile(path));

class Exit extends Error {}

function run(input) {
  const given = new TextEncoder().encode(input);
  let read = 0;
  let memory;
  const out = { 1: [], 2: [] };
  const view = () => new DataView(memory.buffer);
  const each = (list, many, work) => {
    let total = 0;
    for (let at = 0; at < many; at++) {
      const [from, length] = [view().getUint32(list + at * 8, true), view().getUint32(list + at * 8 + 4, true)];
      total += work(new Uint8Array(memory.buffer, from, length));
    }
    return total;
  };
  const imports = {
    fd_read: (fd, list, many, done) => {
      if (fd !== 0) return 8;
      view().setUint32(done, each(list, many, (room) => {
        const part = given.subarray(read, read + room.length);
        room.set(part);
        read += part.length;
        return part.length;
      }), true);
      return 0;
    },
    fd_write: (fd, list, many, done) => {
      if (!(fd in out)) return 8;
      view().setUint32(done, each(list, many, (bytes) => out[fd].push(Buffer.from(bytes)) && bytes.length), true);
      return 0;
    },
    environ_sizes_get: (many, size) => (view().setUint32(many, 0, true), view().setUint32(size, 0, true), 0),
    environ_get: () => 0,
    proc_exit: (code) => {
      throw Object.assign(new Exit(), { code });
    },
  };
  const instance = new WebAssembly.Instance(module, { wasi_snapshot_preview1: imports });
  memory = instance.exports.memory;
  let code = 0;
  try {
    instance.exports._start();
  } catch (exit) {
    if (!(exit instanceof Exit)) throw exit;
    code = exit.code;
  }
  const text = (fd) => Buffer.concat(out[fd]).toString('utf8');
  return { code, output: text(1), log: text(2), instructions: Number(instance.exports[count]?.value ?? 0), input: given.length };
}

let [done, most] = [0, 0];
for await (const line of createInterface({ input: createReadStream(rows) })) {
  const row = JSON.parse(line);
  const ran = run(row.input);
  if (ran.code !== 0 || !isDeepStrictEqual(JSON.parse(ran.output), row[field])) {
    console.error(`row ${done + 1}: ${JSON.stringify(row[field])} was expected, and it gave (${ran.code}) ${ran.output}${ran.log}\n${row.input}`);
    process.exit(1);
  }
  done += 1;
  most = Math.max(most, ran.instructions);
  if (row.cart) {
    const { instructions, input } = ran;
    console.log(JSON.stringify({ cart: row.cart, instructions, input, output: Buffer.byteLength(ran.output) }));
  }
}
console.log(JSON.stringify({ rows: done, instructions: most }));
