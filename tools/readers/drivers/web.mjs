// Readers of the web, in Chromium: the same jobs and answers as answering.py's, a line of JSON each.
//
//     node web.mjs CHROMIUM NODE_MODULES
//
// It serves page.js, the two libraries and the jobs' files on 127.0.0.1, and ends with its standard input.

import { createReadStream, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { dirname, extname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const [chromiumPath, modules] = process.argv.slice(2);
const { chromium } = createRequire(join(modules, "x.js"))("playwright-core");
const here = dirname(fileURLToPath(import.meta.url));
const types = { ".mp4": "video/mp4", ".mkv": "video/x-matroska", ".m4a": "audio/mp4", ".wav": "audio/wav" };

function serve(request, response) {
  const path = new URL(request.url, "http://x").pathname;
  if (path === "/") {
    response.writeHead(200, { "Content-Type": "text/html" });
    return response.end('<!doctype html><script type="module" src="/page/"></script>');
  }
  const [, folder, name] = /^\/(page|library|file)\/(.*)$/.exec(path) ?? [];
  const file = { page: join(here, "page.js"), library: join(modules, name ?? ""), file: decodeURIComponent(name ?? "") }[folder];
  if (!file) return response.writeHead(404).end();
  const size = statSync(file).size;
  const type = types[extname(file)] ?? "text/javascript";
  const asked = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
  const [first, last] = asked ? [+asked[1], asked[2] ? Math.min(+asked[2], size - 1) : size - 1] : [0, size - 1];
  const head = { "Content-Type": type, "Content-Length": last - first + 1, "Accept-Ranges": "bytes" };
  if (asked) head["Content-Range"] = `bytes ${first}-${last}/${size}`;
  response.writeHead(asked ? 206 : 200, head);
  return createReadStream(file, { start: first, end: last }).pipe(response);
}

// A .npy file of float32: what numpy reads.
function save(path, base64) {
  const data = Buffer.from(base64, "base64");
  let head = `{'descr': '<f4', 'fortran_order': False, 'shape': (${data.length / 4},), }`;
  head = head.padEnd(117) + "\n";
  writeFileSync(path, Buffer.concat([Buffer.from("\x93NUMPY\x01\x00v\x00", "latin1"), Buffer.from(head), data]));
}

const server = createServer(serve).listen(0, "127.0.0.1");
const args = ["--autoplay-policy=no-user-gesture-required", "--mute-audio"];
const browser = await chromium.launch({ executablePath: chromiumPath, args, chromiumSandbox: process.getuid() !== 0 });
const page = await browser.newPage();
await page.goto(`http://127.0.0.1:${server.address().port}/`);
await page.waitForFunction(() => window.ask !== undefined);

for await (const line of createInterface({ input: process.stdin })) {
  const job = JSON.parse(line);
  const said = await page.evaluate((job) => window.ask(job), { ...job, url: `/file/${encodeURIComponent(job.path)}` });
  if (said.samples !== undefined) {
    save(job.into, said.samples);
    delete said.samples;
  }
  console.log(JSON.stringify(said));
}
await browser.close();
server.close();
