// Words for the login page where the browser keeps no login: the right password would bring the empty page again. So it
// is inside another site, whose frames many browsers give no cookies, and wherever cookies are blocked.

import { onForeign } from "../shared/front.js";
import { make } from "../shared/page.js";

const NAME = "vae-login";
const KINDS = ["", "; SameSite=None; Secure"]; // Gradio sets one cookie of each kind

/**
 * Puts the words, where there is something to say, in the place of an element.
 *
 * @param {HTMLElement} place
 */
export function notice(place) {
  const words = make("span", { role: "alert" });
  place.replaceWith(words);
  onForeign((sentence) => words.replaceChildren(sentence)); // Gradio's page says nothing then
  if (keepsCookies()) return;
  if (window === window.top) words.append("This browser keeps no login: allow cookies for this site.");
  else words.append("Inside another site this browser keeps no login: ", itself(), ".");
}

/** A link to the app, for a window of its own. */
const itself = () => make("a", { href: location.href, target: "_blank" }, "open the app in a window of its own");

function keepsCookies() {
  const set = (/** @type {string} */ rest) => {
    // biome-ignore lint/suspicious/noDocumentCookie: cookieStore is not there where the page comes by http
    for (const kind of KINDS) document.cookie = `${NAME}=${rest}${kind}`;
  };
  set("kept");
  const kept = document.cookie.includes(`${NAME}=kept`);
  set("; Max-Age=0");
  return kept;
}
