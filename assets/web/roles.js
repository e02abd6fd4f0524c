// The roles of tokens, as ift/roles.py declares them and playground/launch.py puts them into the page.

/** {label, title, letter} each, by role number. The colors are CSS variables named by label (style.css). */
export const ROLES = JSON.parse(document.querySelector("#ift-roles").textContent);

/** The CSS class that fills something with a role's color. */
export const roleClass = number => `role-${ROLES[number].label}`;

/** A role's strong color, for lines and small areas. */
export const roleColor = number => `var(--role-${ROLES[number].label}-line)`;
