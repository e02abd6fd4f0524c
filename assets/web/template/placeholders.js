// A template's placeholders and the roles that fill them. No DOM.

const TAG = /(\{\{[#^/]?[ \t]*\w+[ \t]*\}\})/;
const ROLE_OF = { instruction: "instruction", input: "input", output: "response" }; // field → role

/** A template cut into pieces: {text, role, isWrong}; the role is that of the placeholder that the piece is, or "". */
export function pieces(source) {
  return source.split(TAG).map((text, i) => {
    const role = (i % 2 && ROLE_OF[text.match(/\w+/)[0]]) || "";
    return { text, role, isWrong: i % 2 === 1 && !role };
  });
}
