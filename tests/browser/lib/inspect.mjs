// What every page of ours must have, in both colour schemes and at two widths: measured, and pictured if wanted.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { equal } from "./report.mjs";

let shots;

/** From now on every inspected page is also pictured, into `folder`. */
export function pictureInto(folder) {
  mkdirSync(folder, { recursive: true });
  shots = folder;
}

/** Pictures a page that is not ours, at both widths, if pictures are wanted. */
export async function picture(page, name) {
  if (!shots) return;
  for (const width of [390, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    // What slides or fades in has come to rest by then; a spinner never does.
    await page.waitForTimeout(1000);
    await page.screenshot({ path: join(shots, `${name}-light-${width}.png`), fullPage: true });
  }
}

/** Runs in the page: everything that is wrong with it. */
function problems() {
  const found = [];
  const say = (condition, text) => condition || found.push(text);
  const describe = (node) => `<${node.tagName.toLowerCase()}> ${(node.innerText || node.value || node.id || "").slice(0, 40)}`;
  say(document.documentElement.lang, "no language");
  say(document.title.trim(), "no title");
  say(document.querySelectorAll("h1").length === 1, `${document.querySelectorAll("h1").length} main headings`);
  say(document.querySelectorAll("main").length === 1, "no main landmark");
  say(document.documentElement.scrollWidth <= window.innerWidth, `${document.documentElement.scrollWidth} px wide`);
  const ids = [...document.querySelectorAll("[id]")].map((node) => node.id);
  say(new Set(ids).size === ids.length, "an id twice");
  for (const node of document.querySelectorAll("[aria-describedby]")) {
    say(document.getElementById(node.getAttribute("aria-describedby")), `${describe(node)} is described by nothing`);
  }
  for (const input of document.querySelectorAll("input:not([type=hidden]), select, textarea")) {
    say(input.labels.length || input.getAttribute("aria-label"), `${describe(input)} has no label`);
  }
  for (const node of document.querySelectorAll("a[href], button")) {
    say((node.innerText || node.getAttribute("aria-label") || "").trim(), `${describe(node)} has no name`);
  }
  for (const node of document.querySelectorAll("a.button, button, input:not([type=hidden])")) {
    say(node.getBoundingClientRect().height >= 24, `${describe(node)} is too small to hit`);
  }

  const colour = (text) => {
    const [red, green, blue, alpha = 1] = text.match(/[\d.]+/g).map(Number);
    return { red, green, blue, alpha };
  };
  const light = ({ red, green, blue }) => {
    const [r, g, b] = [red, green, blue].map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const found = colour(getComputedStyle(at).backgroundColor);
      if (found.alpha === 1) return found;
    }
    return colour("rgb(255, 255, 255)");
  };
  const contrast = (node, style) => {
    const [one, two] = [light(colour(style.color)), light(ground(node))].sort((a, b) => b - a);
    return (one + 0.05) / (two + 0.05);
  };
  for (const node of document.querySelectorAll("main, main *")) {
    const texts = [...node.childNodes].filter((child) => child.nodeType === Node.TEXT_NODE && child.data.trim());
    if (texts.length) {
      const ratio = contrast(node, getComputedStyle(node));
      say(ratio >= 4.5, `${describe(node)} has a contrast of ${ratio.toFixed(2)}`);
    }
    if (node.placeholder) say(contrast(node, getComputedStyle(node, "::placeholder")) >= 4.5, `${describe(node)}: faint placeholder`);
  }
  return found;
}

/** Measures the page as it stands. */
export async function inspect(page, name) {
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    for (const width of [1280, 360]) {
      await page.setViewportSize({ width, height: 800 });
      equal(await page.evaluate(problems), [], `${name}, ${colorScheme}, ${width} px`);
      if (shots) await page.screenshot({ path: join(shots, `${name}-${colorScheme}-${width}.png`), fullPage: true });
    }
  }
}

/** Presses Tab until the named control has the focus, and checks that every stop on the way can be seen. */
export async function tabTo(page, text) {
  const stops = [];
  for (let count = 0; count < 20; count += 1) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate(() => {
      const node = document.activeElement;
      const { outlineStyle, outlineWidth } = getComputedStyle(node);
      const text = node === document.body ? "" : (node.innerText || node.id || "").trim();
      return { text, isSeen: node === document.body || outlineStyle !== "none" && parseFloat(outlineWidth) >= 2 };
    });
    stops.push(stop.text);
    equal(stop.isSeen, true, `the focus on "${stop.text}" is visible`);
    if (stop.text === text) return;
  }
  throw new Error(`Tab never reaches "${text}"; it stops at ${JSON.stringify(stops)}`);
}
