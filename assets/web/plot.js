// Plotly, in the page's colors.
import { attrs, until } from "./parts.js";
import { color, onTheme, scale } from "./theme.js";

// No mode bar: its buttons are the chart's own gestures again, and one would upload the chart to a cloud service.
const CONFIG = { responsive: true, displaylogo: false, displayModeBar: false };

const axis = extra => ({
  gridcolor: color("--grid"),
  linecolor: color("--edge"),
  zeroline: false,
  automargin: true,
  ...extra,
});

function layout({ xaxis = {}, yaxis = {}, ...rest }) {
  const k = scale();
  return {
    margin: { t: 16 * k, r: 16, l: 56 * k, b: 44 * k },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    hovermode: "closest",
    font: { color: color("--muted"), size: 13 * k, family: color("--sans") },
    legend: { orientation: "h", yanchor: "bottom", y: 1.02, x: 0 },
    xaxis: axis(xaxis),
    yaxis: axis(yaxis),
    ...rest,
  };
}

/** A figure's value with its colors filled in: it names them as CSS variables ("--acc"), to serve light and dark. */
export function painted(value, colorOf = color) {
  if (typeof value === "string") return value.startsWith("--") ? colorOf(value) : value;
  if (Array.isArray(value)) return value.map(one => painted(one, colorOf));
  if (!value || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, painted(one, colorOf)]));
}

/** Draw `traces` into a node, or redraw them there; zoom and legend stay. */
export function plot(host, traces, extra) {
  Plotly.react(host, painted(traces), layout(painted(extra)), CONFIG);
}

/** Take a plot away. */
export const clear = host => host.data && Plotly.purge(host);

let wanted = false;

/** Ask for Plotly's script: it is larger than all the rest, and comes after what is painted first. */
function fetchPlotly() {
  if (wanted) return;
  wanted = true;
  const script = document.createElement("script");
  script.src = new URL("plotly.min.js", import.meta.url);
  const later = window.requestIdleCallback || setTimeout;
  requestAnimationFrame(() => later(() => document.head.append(script)));
}

/** Draw with Plotly, at once where it is there, else when it has come. */
export function withPlotly(draw) {
  return () => {
    if (window.Plotly) return draw();
    fetchPlotly();
    return until(() => window.Plotly).then(() => draw());
  };
}

/** A component that shows one figure: {data, layout, label, height}. */
export function figure(element, props, watch) {
  const host = element.querySelector(".plot");
  const draw = () => {
    host.hidden = !props.value?.data;
    if (props.value?.data) drawn();
  };
  const drawn = withPlotly(() => {
    const { data, layout, label, height } = props.value || {};
    if (!data) return;
    attrs(host, { role: "img", "aria-label": label });
    if (height) host.style.height = `${height * scale()}px`;
    plot(host, data, { ...layout, height: height * scale() });
  });
  draw();
  watch("value", draw);
  onTheme(element, draw);
}
