// Corrections of line integrals on threads, with the arithmetic that the CUDA backend shares.
#include "kernels/correction.hpp"

#include "kernels/correction_tables.hpp"
#include "kernels/cpu/operators.hpp"

namespace feldspar::kernels::cpu {
namespace {

class CpuCorrection final : public Correction {
 public:
  CpuCorrection(Machine& machine, const CorrectionSpec& spec)
      : machine_(machine), spec_(spec), tables_(make_tables(spec)) {}

  void apply(int first_view, geometry::Range rows, DeviceView3<float> measured, geometry::Range kept,
             DeviceView3<float> corrected) override {
    check_blocks(spec_, first_view, rows, measured, kept, corrected);
    replace(first_view, rows, measured);
    const CorrectBlock block{
        .measured = measured.data,
        .corrected = corrected.data,
        .columns = spec_.columns,
        .rows = rows.count(),
        .first_kept = kept.first - rows.first,
        .kept = kept.count(),
        .pixel_offset = tables_.pixel_offset.empty()
                            ? nullptr
                            : tables_.pixel_offset.data() + std::ptrdiff_t{kept.first} * spec_.columns,
        .view_offset = spec_.view_offset.empty() ? nullptr : spec_.view_offset.data() + first_view,
        .polynomial = spec_.polynomial.data(),
        .terms = static_cast<int>(spec_.polynomial.size())};
    machine_.pool.for_each(std::ptrdiff_t{kept.count()} * measured.nz, [&](std::ptrdiff_t line, int) {
      for (int column = 0; column < spec_.columns; ++column) block(column, line);
    });
  }

 private:
  void replace(int first_view, geometry::Range rows, DeviceView3<float> measured) {
    const PatchBlock patch{measured.data, tables_.patches.data(), first_view, spec_.columns, rows.first,
                           rows.count()};
    const geometry::Range patches = patches_in(tables_, first_view, measured.nz);
    for (int n = patches.first; n < patches.end; ++n) patch(n);

    const RepairBlock repair{measured.data,
                             tables_.repairs.data(),
                             tables_.sources.data(),
                             tables_.pixel_offset.empty() ? nullptr : tables_.pixel_offset.data(),
                             spec_.columns,
                             rows.first,
                             rows.count()};
    const geometry::Range repairs = repairs_in(tables_, spec_.columns, rows);
    if (repairs.empty()) return;
    machine_.pool.for_each(measured.nz, [&](std::ptrdiff_t view, int) {
      for (int n = repairs.first; n < repairs.end; ++n) repair(n, view);
    });
  }

  Machine& machine_;
  CorrectionSpec spec_;
  CorrectionTables tables_;
};

}  // namespace

std::unique_ptr<Correction> make_correction(Machine& machine, const CorrectionSpec& spec) {
  return std::make_unique<CpuCorrection>(machine, spec);
}

}  // namespace feldspar::kernels::cpu
