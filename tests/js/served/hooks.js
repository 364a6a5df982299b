// Has node find the stand-in where a module imports what the server makes.

export const resolve = (specifier, context, next) =>
  specifier.endsWith("/vocabulary.js")
    ? { url: new URL("vocabulary.js", import.meta.url).href, shortCircuit: true }
    : next(specifier, context);
