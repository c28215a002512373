/** New ratings as they come, by Server-Sent Events. */

const COME_BACK = 30_000;

/**
 * Tells of ratings until the signal fires. A browser connects again by itself when the line breaks, but not when it was
 * refused: then this does, later.
 *
 * @param {(news: {image: {id: string}, rating: {mean: number | null, count: number}, rank: number}) => void} tell
 * @param {AbortSignal} signal
 */
export function followRatings(tell, signal) {
  const source = new EventSource("/api/v1/feed/live");
  source.addEventListener("rating", (event) => tell(JSON.parse(event.data)));
  source.addEventListener("error", () => {
    if (source.readyState !== EventSource.CLOSED) return;
    setTimeout(() => signal.aborted || followRatings(tell, signal), COME_BACK);
  });
  signal.addEventListener("abort", () => source.close(), { once: true });
}
