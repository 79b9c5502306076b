// Player moves through frames: a button, a slider, and what is shown of a frame, which may lie between
// two whole ones. It plays by itself while it is in sight, unless the reader wants stillness or has
// touched it.
class Player {
  constructor(root, frames, perSecond, name, show) {
    Object.assign(this, {frames, perSecond, name, show, at: 0, playing: false, own: !wantsStill.matches});
    this.button = root.querySelector("button");
    this.slider = root.querySelector("input");
    this.text = root.querySelector("output");
    this.slider.max = frames - 1;
    this.button.addEventListener("click", () => { this.own = false; this.playing ? this.pause() : this.play(); });
    this.slider.addEventListener("input", () => { this.own = false; this.pause(); this.go(+this.slider.value); });
    new IntersectionObserver(seen => {
      if (!seen[0].isIntersecting) { if (this.playing) { this.pause(); this.resume = true; } }
      else if (this.resume || this.own) { this.own = this.resume = false; this.play(); }
    }, {threshold: 0.6}).observe(root.closest("figure").querySelector("canvas"));
    wantsStill.addEventListener("change", () => { if (wantsStill.matches) { this.own = this.resume = false; this.pause(); } });
    this.go(frames - 1);
  }
  // go moves to a place between frames, which stillness rounds down to a frame.
  go(at) {
    this.at = at;
    const whole = Math.round(at);
    if (+this.slider.value !== whole) this.slider.value = whole;
    this.text.textContent = this.name(whole);
    this.slider.setAttribute("aria-valuetext", this.text.textContent);
    const shown = wantsStill.matches ? Math.floor(at) : at;
    if (shown !== this.shown) this.show(this.shown = shown);
  }
  play() {
    if (this.playing) return;
    this.playing = true;
    this.label("Pause");
    const last = this.frames - 1, rest = 1.5; // seconds at the end
    if (this.at >= last) this.go(0);
    let before = null, rested = 0;
    const tick = now => {
      if (!this.playing) return;
      const past = before === null ? 0 : Math.min(0.1, (now - before) / 1000);
      before = now;
      if (this.at < last) this.go(Math.min(last, this.at + past * this.perSecond));
      else if ((rested += past) > rest) { rested = 0; this.go(0); }
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  }
  pause() { this.playing = false; this.label("Play"); }
  label(text) { this.button.querySelector("span").textContent = text; this.button.classList.toggle("playing", text === "Pause"); }
}
