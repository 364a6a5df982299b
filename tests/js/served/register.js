// To be imported before a module that imports the vocabulary, which then comes by await import(…).

import { register } from "node:module";

register("./hooks.js", import.meta.url);
