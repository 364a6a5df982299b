// Shows a part of the page: loads its module and mounts it, or says in its place why it is not there. This script stands
// in the page's head, so that it is there even where no module can be had.

{
  /**
   * Mounts live/<module>.js; its address is relative to the page, so that it also works behind a proxy's prefix.
   *
   * @param {string} module
   * @param {import("../shared/types").Component} component
   */
  const showPart = async (module, component) => {
    const base = `${location.origin}${location.pathname.replace(/\/?$/, "/")}live/`;
    const address = `${base}${module}.js`;
    try {
      const { mount } = await import(address);
      await mount(component);
    } catch (error) {
      const reason = (error instanceof Error && error.cause) || (await why(base, address));
      component.element.querySelector(".live")?.prepend(`This part could not be shown: reload the page. ${reason}`);
      throw error;
    }
  };

  /**
   * Why a module is not there, in words; the module with the words may be refused as well.
   *
   * @param {string} base
   * @param {string} address
   */
  const why = async (base, address) => {
    const asked = import(`${base}shared/ask.js`).then((it) => it.fileOf(address));
    const refused = async () => ({ error: `The server answered with status ${(await fetch(address)).status}.` });
    const silence = () => ({ error: "The server does not answer." });
    return (await asked.catch(refused).catch(silence)).error ?? "";
  };

  Object.assign(window, { showPart });
}
