// The run that the page follows, on whatever tab: asks for what is new of it, tells Python of each change of its state,
// and has its model used where a picture leads. It may be a run of another browser, which a link names.

import { feed, follow } from "../shared/feed.js";
import { make } from "../shared/page.js";
import { onUse } from "./leads.js";

/** @import { Component } from "../shared/types.js" */
/**
 * shared: whether the run is another browser's; missing: what is wrong with the run that the page's link names.
 *
 * @typedef {{ run: string, browser: string, shared?: boolean, missing?: string }} Value
 * @typedef {Component<Value, "follow" | "window" | "history">} Followed
 */

const TELL = 200; // ms between two looks at whether Python must be told of another state

/** The id of this browser, which may steer its runs; empty until the server has said it. */
export let browser = "";

/** The run of another browser that the page follows, which its address names; that of the link until Python says so. */
export let shared = new URLSearchParams(location.search).get("run") ?? "";

/** Whether the followed run is another browser's, so that it is only to be watched. A recording is nobody's. */
export const isShared = () => Boolean(shared) && shared === feed.run && !feed.about?.is_recorded;

/**
 * @param {Followed} component
 */
export function mount({ props, server, watch, trigger }) {
  const note = make("p", { className: "page-note", role: "status" });
  const take = () => {
    const { run, missing = "" } = props.value;
    browser = props.value.browser;
    if (browser) shared = props.value.shared ? run : "";
    note.textContent = missing;
    if (missing) document.body.prepend(note);
    else note.remove();
    dispatchEvent(new Event("vae-view"));
    follow(run, { follow: server.follow, window: server.window, history: server.history });
  };
  watch("value", take);
  take();
  onUse((model, tab) => trigger("use", { run: model, tab }));
  tell(trigger);
}

/** @param {Followed["trigger"]} trigger */
function tell(trigger) {
  let told = "";
  let known = { run: "", state: "" }; // what it was told last
  setInterval(() => {
    const now = `${feed.run} ${feed.state} ${Boolean(feed.newest)}`;
    if (!feed.run || !feed.state || now === told) return;
    const before = feed.run === known.run ? known.state : "";
    told = now;
    known = { run: feed.run, state: feed.state };
    trigger("changed", { run: feed.run, state: feed.state, before });
  }, TELL);
}
