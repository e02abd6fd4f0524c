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
    font: { color: color("--muted"), size: 14 * k, family: 'system-ui, "Noto Sans", "DejaVu Sans", sans-serif' },
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

/** Plotly's script is large and comes later than the page's load event: who is early draws when it does. */
export const withPlotly = draw => () => (window.Plotly ? draw() : until(() => window.Plotly).then(() => draw()));

/** A component that shows one figure: {data, layout, label, height}. */
export function figure(element, props, watch) {
  const host = element.querySelector(".plot");
  const draw = withPlotly(() => {
    const { data, layout, label, height } = props.value || {};
    host.hidden = !data;
    if (!data) return;
    attrs(host, { role: "img", "aria-label": label });
    if (height) host.style.height = `${height * scale()}px`;
    plot(host, data, { ...layout, height: height * scale() });
  });
  draw();
  watch("value", draw);
  onTheme(element, draw);
}
