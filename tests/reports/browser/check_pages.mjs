// Open each page in a headless browser: no request, no error, no violation by axe-core in light and dark, sortable, and
// whole by keyboard and without scripts. `node check_pages.mjs FOLDER`; CHROMIUM names the browser.
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const require = createRequire(join(process.cwd(), "index.js"));
const puppeteer = require("puppeteer-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const folder = resolve(process.argv[2]);
const faults = [];

const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  headless: true,
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

async function open(file, { scheme = "light", width = 1280, scripts = true } = {}) {
  const page = await browser.newPage();
  await page.setViewport({ width, height: 900 });
  await page.setJavaScriptEnabled(scripts);
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  const address = `file://${join(folder, file)}`;
  page.on("request", (request) => {
    if (request.url() !== address && !request.url().startsWith("data:image/png")) faults.push(`${file}: asks for ${request.url()}`);
  });
  page.on("pageerror", (error) => faults.push(`${file}: ${error}`));
  page.on("console", (message) => message.type() === "error" && faults.push(`${file}: ${message.text()}`));
  page.on("dialog", (dialog) => { faults.push(`${file}: opens a dialog`); dialog.dismiss(); });
  await page.goto(address);
  return page;
}

async function violations(file, scheme, width) {
  const page = await open(file, { scheme, width });
  await page.evaluate(() => document.querySelectorAll("details").forEach((one) => { one.open = true; }));
  await page.evaluate(axe); // through the debugger, so that the page's own policy stays as it is
  const found = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  for (const { id, nodes } of found.violations) faults.push(`${file}, ${scheme}, ${width}: ${id} ${nodes[0].html.slice(0, 120)}`);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  if (wide > 0) faults.push(`${file}, ${width}: ${wide} pixels too wide`);
  const cut = await page.evaluate(() => {
    const frame = document.querySelector("#findings-table")?.parentElement;
    return frame ? frame.scrollWidth - frame.clientWidth : 0;
  });
  if (width > 1000 && cut > 0) faults.push(`${file}, ${width}: ${cut} pixels of the findings are out of sight`);
  await page.close();
  return found.passes.length;
}

async function sorts(file) {
  const page = await open(file);
  const button = await page.$("#class-table th button");
  if (button === null) return page.close();
  await page.$eval("#class-table", (table) => { const fold = table.closest("details"); if (fold) fold.open = true; });
  await page.focus("#class-table th:nth-child(2) button");
  const column = () => page.$$eval("#class-table td:nth-child(2)", (cells) => cells.map((cell) => Number(cell.dataset.value)));
  for (const sign of [1, -1]) {
    await page.keyboard.press("Enter");
    const values = await column();
    if (!values.every((value, i) => i === 0 || sign * (value - values[i - 1]) >= 0)) faults.push(`${file}: Enter does not sort`);
  }
  await page.close();
}

async function unscripted(file) {
  const texts = [];
  for (const scripts of [true, false]) {
    const page = await open(file, { scripts });
    texts.push(await page.$$eval("main td, main p, main dd, main svg text, main h2", (all) => all.map((one) => one.textContent).join("|")));
    await page.close();
  }
  if (texts[0] !== texts[1]) faults.push(`${file}: says less without scripts`);
}

let checked = 0;
for (const file of readdirSync(folder).filter((name) => name.endsWith(".html"))) {
  for (const scheme of ["light", "dark"]) for (const width of [1280, 360]) checked += await violations(file, scheme, width);
  await sorts(file);
  await unscripted(file);
}
await browser.close();
console.log(faults.length ? faults.join("\n") : `no request, no violation (${checked} rules passed)`);
process.exit(faults.length || !checked ? 1 : 0);
