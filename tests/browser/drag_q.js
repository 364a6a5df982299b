// Drags q by its middle to the right, thirty moves of a frame each; gives how many texts the ELBO had meanwhile.
async (place) => {
    const node = document.querySelector(`${place} .live-held`);
    const output = document.querySelector(`${place} [data-term=elbo] output`);
    const { x, y, width, height } = node.getBoundingClientRect();
    const pointer = { clientY: y + height / 2, bubbles: true, pointerId: 1, button: 0, buttons: 1 };
    const send = (kind, n) => node.dispatchEvent(new PointerEvent(kind, { ...pointer, clientX: x + width / 2 + n }));
    const seen = new Set();
    send("pointerdown", 0);
    for (let n = 1; n <= 30; n += 1) {
        send("pointermove", n);
        await new Promise(requestAnimationFrame);
        seen.add(output.textContent);
    }
    send("pointerup", 30);
    return seen.size;
};
