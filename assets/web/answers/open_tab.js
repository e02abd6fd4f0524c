// Another tab of the page, by its number.

/** Open it; its button may be in the menu of what does not fit into the bar. */
export function openTab(number) {
  const isIts = one => !one.closest("[aria-hidden=true]") && one.textContent.trim().startsWith(`${number} `);
  [...document.querySelectorAll(".tab-wrapper button")].find(isIts)?.click();
}
