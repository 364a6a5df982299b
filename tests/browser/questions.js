// Lists what the page asks of the server's functions. A question is open until the page has dealt with its answer.

{
  window.questions = [];
  window.session = null; // as the server gives it to the page: this browser's id, its model and its run
  const { fetch: ask, setTimeout } = window; // as they are before a test takes the clock over
  window.fetch = async (...args) => {
    const address = String(args[0]?.url ?? args[0]);
    const question = address.includes("component_server") ? { ...JSON.parse(args[1].body), isOpen: true } : null;
    if (question) window.questions.push(question);
    const close = () =>
      setTimeout(() => {
        if (question) question.isOpen = false;
      }); // after what awaits the answer
    const answer = await ask(...args).catch((error) => {
      close();
      throw error;
    });
    const read = answer.json.bind(answer);
    answer.json = async () => {
      const content = await read().finally(close);
      if (new URL(address, location.href).pathname.endsWith("/run/predict")) window.session ??= content.data?.find((it) => it?.browser);
      return content;
    };
    return answer;
  };
}
