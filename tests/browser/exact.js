async ([decoder, asked]) => {
    const { askWorker } = await import(location.origin + "/live/exact/thread.js");
    const { bytes } = await import(location.origin + "/live/shared/page.js");
    const file = await (await fetch(decoder)).arrayBuffer();
    const start = performance.now();
    await askWorker({ decoder: file, image: null, q: { mu: [], std: [] } });
    const table = performance.now() - start;
    const found = [];
    for (const { seen, hidden, q } of asked) {
        const began = performance.now();
        const question = { decoder: null, image: bytes(seen), hidden: hidden && bytes(hidden), q };
        const { density, ...exact } = await askWorker(question);
        found.push({ ...exact, density: [...density], ms: performance.now() - began });
    }
    return [table, found];
}
