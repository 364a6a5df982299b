// Makes localStorage and sessionStorage dependable. A browser refuses them where cookies are blocked or the page stands in
// a sandboxed frame, and takes nothing more where they are full. What it refuses of the page's own entries, the page keeps
// in memory for this visit. This script stands in the page's head: Gradio reads the session when it builds the page.

{
  const OWN = "vae-"; // begins the names of the page's own entries
  /** The name of the entry that holds the browser's id, by which its runs are found again. */
  const SESSION = document.currentScript?.dataset.session;
  const LOST =
    "This browser does not let the page store anything: all works until you reload or close the page, " +
    "but then your runs cannot be found again, so download what you want to keep.";

  /**
   * A storage that takes all entries of the page.
   *
   * @param {"localStorage" | "sessionStorage"} name
   */
  const dependable = (name) => {
    const real = storage(name);
    /** @type {Map<string, string>} */
    const memory = new Map();
    const methods = {
      getItem: (/** @type {string} */ key) => memory.get(key) ?? real?.getItem(key) ?? null,
      setItem(/** @type {string} */ key, /** @type {string} */ value) {
        if (real && !key.startsWith(OWN)) real.setItem(key, value);
        else if (stored(real, key, value)) memory.delete(key);
        else memory.set(key, value);
        if (key === SESSION && !real?.getItem(key)) say(LOST);
      },
      removeItem(/** @type {string} */ key) {
        memory.delete(key);
        real?.removeItem(key);
      },
    };
    return new Proxy(real ?? {}, {
      get(target, property) {
        const value = Reflect.get(property in methods ? methods : target, property);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  };

  /**
   * The browser's own storage; null where it is refused.
   *
   * @param {"localStorage" | "sessionStorage"} name
   */
  const storage = (name) => {
    try {
      return window[name];
    } catch {
      return null;
    }
  };

  /**
   * Whether the browser's own storage took a value.
   *
   * @param {Storage | null} real
   * @param {string} key
   * @param {string} value
   */
  const stored = (real, key, value) => {
    try {
      real?.setItem(key, value);
    } catch {
      return false; // it is full
    }
    return real !== null;
  };

  /** @param {string} text said once, above the page */
  const say = (text) => {
    if (document.querySelector(".page-lost")) return;
    const node = document.createElement("p");
    Object.assign(node, { className: "page-lost", textContent: text, role: "status" });
    document.body.prepend(node);
  };

  for (const name of /** @type {const} */ (["localStorage", "sessionStorage"]))
    Object.defineProperty(window, name, { value: dependable(name), configurable: true });
}
