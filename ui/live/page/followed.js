// The run that the page follows, on whatever tab: asks for what is new of it, tells Python of each change of its state,
// and has its model used where a picture leads.

import { feed, follow } from "../shared/feed.js";
import { onUse } from "./leads.js";

/** @import { Component } from "../shared/types.js" */
/** @typedef {Component<{ run: string, browser: string }, "follow" | "window" | "history">} Followed */

const TELL = 200; // ms between two looks at whether Python must be told of another state

/** The id of this browser, which may steer its runs; empty until the server has said it. */
export let browser = "";

/**
 * @param {Followed} component
 */
export function mount({ props, server, watch, trigger }) {
  const take = () => {
    browser = props.value.browser;
    follow(props.value.run, { follow: server.follow, window: server.window, history: server.history });
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
