#include "cli/hardening.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <span>

#include "base/error.hpp"
#include "base/units.hpp"
#include "cli/console.hpp"
#include "recon/correct/hardening.hpp"
#include "recon/correct/scatter.hpp"

namespace feldspar::cli {
namespace {

constexpr double worthwhile = 0.7;  ///< of the unevenness: what is left by a polynomial that is meant to be

/// Empty when none is worthwhile, and `how` says why.
std::vector<double> automatic(const HardeningCase& of, std::string& how) {
  Progress progress(console_progress());
  const recon::HardeningEstimate found =
      recon::estimate_hardening(of.source, of.scan, of.setup, of.fdk, of.resources, progress);
  if (found.fit.coefficients.empty())
    throw Error(ErrorKind::bad_file,
                fmt::format("--hardening auto: {}; give coefficients (--hardening 0.8,0.2) or use off",
                            found.fit.reason));
  if (found.fit.unevenness_after > worthwhile * found.fit.unevenness_before) {
    how = fmt::format(
        "left alone: the part of the object that should be uniform varies by {:.1f} %, and by {:.1f} % with "
        "the best polynomial; give coefficients (--hardening 0.8,0.2) if you know better",
        100 * found.fit.unevenness_before, 100 * found.fit.unevenness_after);
    return {};
  }
  how = fmt::format(
      "found from three coarse slices, whose uniform part varied by {:.1f} % and now by {:.1f} %; 1/mm at "
      "the "
      "beam's energy behind an object of p = {:.2f}",
      100 * found.fit.unevenness_before, 100 * found.fit.unevenness_after, found.reference);
  std::vector<double> polynomial{0};
  polynomial.insert(polynomial.end(), found.fit.coefficients.begin(), found.fit.coefficients.end());
  return polynomial;
}

/// A finding when denser places would come out less dense.
void check_rise(const std::vector<double>& polynomial, const recon::Inspection& inspection,
                Findings& findings) {
  if (!(inspection.lowest_transmission > 0)) return;
  const double highest = -std::log(inspection.lowest_transmission);
  if (highest > 0 && !recon::rises(std::span(polynomial).subspan(1), highest))
    findings.push_back(
        fmt::format("beam hardening: the polynomial {} falls somewhere below p = {:.2f}, which this scan "
                    "reaches: more material comes out as less; check its signs or use --hardening auto",
                    format_polynomial(polynomial), highest));
}

}  // namespace

void add_hardening_options(CLI::App& command, HardeningOptions& options) {
  command
      .add_option(
          "--hardening", options.hardening,
          "Beam hardening: file (the scan's own polynomial, if any), auto (found from the scan), off, or "
          "coefficients of p, p^2, ... as 0.75,0.25")
      ->capture_default_str();
  command
      .add_option(
          "--scatter", options.scatter,
          "Scatter: off, constant:SHARE of the open beam, or kernel:SHARE of what the object scatters")
      ->capture_default_str();
}

std::unique_ptr<io::ScanSource> take_off_scatter(const HardeningOptions& options,
                                                 const recon::Resources& resources,
                                                 std::unique_ptr<io::ScanSource> source, Findings& findings) {
  const recon::ScatterModel model = recon::parse_scatter(options.scatter);
  if (model.kind == recon::ScatterModel::Kind::none) return source;
  Progress progress(console_progress());
  source = recon::without_scatter(std::move(source), model, resources, progress);
  findings.push_back(fmt::format("scatter is taken off the counts: {}", options.scatter));
  return source;
}

std::shared_ptr<const recon::Corrections> with_hardening(const HardeningOptions& options,
                                                         const HardeningCase& of, Findings& findings) {
  const std::vector<double>& own = of.source.description().hardening;
  if (options.hardening == "off") {
    if (!own.empty())
      findings.push_back(fmt::format("beam hardening: the scan asks for {}, which --hardening off leaves out",
                                     format_polynomial(own)));
    return of.fdk.corrections;
  }
  std::vector<double> polynomial;
  std::string how;
  if (options.hardening == "file") {
    if (own.empty()) return of.fdk.corrections;
    polynomial = own;
    how = "as the scan's file asks for";
  } else if (options.hardening == "auto") {
    polynomial = automatic(of, how);
    if (polynomial.empty()) {
      findings.push_back("beam hardening: " + how);
      return of.fdk.corrections;
    }
  } else {
    polynomial = parse_polynomial(options.hardening);
    how = "as given";
  }
  findings.push_back(fmt::format("beam hardening: p' = {}, {}", format_polynomial(polynomial), how));
  check_rise(polynomial, of.inspection, findings);

  auto corrections = of.fdk.corrections ? std::make_shared<recon::Corrections>(*of.fdk.corrections)
                                        : std::make_shared<recon::Corrections>();
  corrections->spec.columns = of.source.scan().detector.columns;
  corrections->spec.rows = of.source.scan().detector.rows;
  corrections->spec.polynomial.assign(polynomial.begin(), polynomial.end());
  corrections->steps.push_back({fmt::format("hardening: p' = {}", format_polynomial(polynomial)), false});
  return corrections;
}

std::vector<double> parse_polynomial(const std::string& text) {
  constexpr std::size_t most = 8;
  std::vector<double> polynomial{0};
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t comma = std::min(text.find(',', begin), text.size());
    double coefficient = 0;
    if (!parse_number(std::string_view(text).substr(begin, comma - begin), coefficient) ||
        polynomial.size() > most)
      throw Error(
          ErrorKind::usage,
          fmt::format("--hardening: '{}' is not file, auto, off or up to {} coefficients of p, p^2, ... "
                      "like 0.75,0.25",
                      text, most));
    polynomial.push_back(coefficient);
    begin = comma + 1;
  }
  return polynomial;
}

std::string format_polynomial(const std::vector<double>& coefficients) {
  std::string text;
  for (std::size_t n = 0; n < coefficients.size(); ++n) {
    if (coefficients[n] == 0) continue;
    text += text.empty() ? (coefficients[n] < 0 ? "-" : "") : (coefficients[n] < 0 ? " - " : " + ");
    text += fmt::format("{:.6g}", std::abs(coefficients[n]));
    if (n > 0) text += n == 1 ? " p" : fmt::format(" p^{}", n);
  }
  return text.empty() ? "0" : text;
}

}  // namespace feldspar::cli
