// How far z in numbers ends before the arrow to the decoder, and how far the machine goes beyond the page, in px.
() => {
  const range = document.createRange();
  const ends = [...document.querySelectorAll("#theory-card .live-sum > div")].map((line) => {
    range.selectNodeContents(line);
    return range.getBoundingClientRect().right;
  });
  const arrow = [...document.querySelectorAll("#theory-card .live-arrow")].at(-1);
  const rights = [...document.querySelectorAll("#theory-card .live-machine *")].map(
    (it) => it.getBoundingClientRect().right,
  );
  return [
    arrow.getBoundingClientRect().left - Math.max(...ends),
    Math.max(...rights) - document.documentElement.clientWidth,
  ];
}
