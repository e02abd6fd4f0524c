// Light, dark and projector: one remembered choice a visitor, per mode.

/** The value of one of the page's CSS variables, as it is now. */
export const color = name => getComputedStyle(document.body).getPropertyValue(name).trim();

/** How much larger type is: in projector mode plots and grid columns grow, too. */
export const scale = () => (document.body.classList.contains("projector") ? 1.4 : 1);

/** Redraw a component whenever the mode changes, until the component goes. */
export function onTheme(element, redraw) {
  const seen = new MutationObserver(() => (element.isConnected ? redraw() : seen.disconnect()));
  seen.observe(document.body, { attributes: true, attributeFilter: ["class"] });
}

function apply(name, on, button) {
  document.body.classList.toggle(name, on);
  document.documentElement.classList.toggle(name, name === "dark" && on);
  button.setAttribute("aria-pressed", on);
  dispatchEvent(new Event("resize")); // Plotly fits itself anew
}

/** Connect the buttons of the page's head. */
export function wireModes(element) {
  const modes = { projector: false, dark: matchMedia("(prefers-color-scheme: dark)").matches };
  for (const [name, preferred] of Object.entries(modes)) {
    const button = element.querySelector(`[data-mode=${name}]`);
    const kept = localStorage.getItem(`ift-${name}`);
    apply(name, kept === null ? preferred : kept === "true", button);
    button.addEventListener("click", () => {
      const on = button.getAttribute("aria-pressed") !== "true";
      localStorage.setItem(`ift-${name}`, on);
      apply(name, on, button);
    });
  }
}
